"""What can be approved: actions that apps above register in their `apps.py`.

approvable(
    "users.grant_super_admin",
    execute=grant_super_admin,
    permission="staff.manage",
    title="Grant the role super_admin",
    describe=lambda params: f"Give {params['user_id']} the roles {', '.join(params['roles'])}",
)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from apps.approvals.enums import Policy
from apps.core import knobs
from apps.core.knobs import Knob
from apps.core.principal import Principal


class Execute(Protocol):
    """Does it, inside the write that is open; raises domain errors. `params` are JSON values: ids, no personal data
    and no secret."""

    def __call__(self, *, actor: Principal, params: dict[str, Any], reason: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class Approvable:
    """An action that may need a second person.

    Attributes:
        execute: the one function that does it, approved or not.
        permission: of apps.core.access: what both persons must hold.
        title, describe: for people; `describe` makes a sentence of the parameters.
        policy: the knob that says where it needs a second person.
    """

    action: str
    execute: Execute
    permission: str
    title: str
    describe: Callable[[Mapping[str, Any]], str]
    policy: Knob[str]


_actions: dict[str, Approvable] = {}


def approvable(
    action: str,
    *,
    execute: Execute,
    permission: str,
    title: str,
    describe: Callable[[Mapping[str, Any]], str] | None = None,
    policy: Policy = Policy.BACK_OFFICE,
) -> Approvable:
    """Registers an action and its knob `approvals.<action>`.

    Raises:
        ValueError: the action is registered already.
    """
    if action in _actions:
        raise ValueError(f"the action {action!r} is registered already")
    knob = knobs.choice(
        f"approvals.{action}",
        default=policy.value,
        choices=tuple(Policy.values),
        section="Approvals",
        description=f"Where “{title}” needs a second person.",
    )
    known = Approvable(
        action=action,
        execute=execute,
        permission=permission,
        title=title,
        describe=describe or (lambda params: ", ".join(f"{name}: {value}" for name, value in params.items())),
        policy=knob,
    )
    _actions[action] = known
    return known


StillMay = Callable[[UUID, str], bool]


def _unknown(person_id: UUID, permission: str) -> bool:
    """Nobody knows people: then nobody has a right."""
    del person_id, permission
    return False


@dataclass(slots=True)
class _People:
    still_may: StillMay = _unknown


_people = _People()


def ask_about_people(answer: StillMay) -> None:
    """Called once, by the app above that knows people: `(person, permission)`, whether they may act so now."""
    _people.still_may = answer


def still_may(person_id: UUID, permission: str) -> bool:
    """Whether a person who asked for something may do it at this moment."""
    return _people.still_may(person_id, permission)


def known_action(action: str) -> Approvable:
    """Raises KeyError for an action that no app registered."""
    return _actions[action]


def find_action(action: str) -> Approvable | None:
    return _actions.get(action)


def actions() -> list[Approvable]:
    return sorted(_actions.values(), key=lambda known: known.action)
