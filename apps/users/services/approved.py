"""What may need a second person: giving somebody the role super_admin (apps.approvals).

The services that do it refuse whoever goes past these functions where the policy wants a second person.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from apps.approvals.registry import approvable
from apps.approvals.services import Pending, is_required, perform
from apps.core.access import Role
from apps.core.errors import Invalid
from apps.core.ids import USER, parse, public
from apps.core.principal import Principal
from apps.users.models import User
from apps.users.services.common import target_of
from apps.users.services.profile import UserChanges, update_user
from apps.users.services.staff import GRANT_SUPER_ADMIN, checked_roles, set_staff_roles


class SendAlone(Invalid):
    """`details`: {staff_roles: [sentence]}."""

    code = "SEND_ALONE"
    message = "Giving super_admin needs a second person: send staff_roles alone."


def change_staff_roles(
    *, actor: Principal, user_id: UUID, roles: list[str], reason: str = "", if_match: int | None = None
) -> User | Pending:
    """As `set_staff_roles`; waits for a second person where it newly gives super_admin and the policy wants one.

    A request is for the person as they are now: where they change before it is approved, it fails.

    Raises:
        as `set_staff_roles`.
    """
    if not _grants(user_id, roles):
        return set_staff_roles(actor=actor, user_id=user_id, roles=roles, reason=reason, if_match=if_match)
    version = User.objects.values_list("version", flat=True).get(pk=user_id) if if_match is None else if_match
    outcome = perform(
        GRANT_SUPER_ADMIN,
        actor=actor,
        params={"user_id": public(USER, user_id), "roles": checked_roles(roles), "version": version},
        target=target_of(user_id),
        reason=reason,
    )
    if isinstance(outcome, Pending):
        return outcome
    granted: User = outcome.result
    return granted


def change_user(
    *, actor: Principal, user_id: UUID, changes: UserChanges, reason: str = "", if_match: int | None = None
) -> User | Pending:
    """As `update_user`; waits for a second person where it newly gives super_admin and the policy wants one.

    Raises:
        SendAlone: a second person is needed, and something else is to be changed too.
        as `update_user`.
    """
    roles = None if changes.staff_roles is None else list(changes.staff_roles)
    if roles is None or not _grants(user_id, roles) or not is_required(GRANT_SUPER_ADMIN, actor=actor):
        return update_user(actor=actor, user_id=user_id, changes=changes, reason=reason, if_match=if_match)
    if changes.beside_staff_roles():
        raise SendAlone(details={"staff_roles": [SendAlone.message]})
    return change_staff_roles(actor=actor, user_id=user_id, roles=roles, reason=reason, if_match=if_match)


def _grants(user_id: UUID, roles: list[str]) -> bool:
    """True where the roles hold super_admin and the person does not."""
    person = User.objects.select_related("staff").filter(pk=user_id).first()
    return person is not None and Role.SUPER_ADMIN in roles and Role.SUPER_ADMIN not in person.staff_roles


def _execute(*, actor: Principal, params: dict[str, Any], reason: str) -> User:
    return set_staff_roles(
        actor=actor,
        user_id=parse(USER, params["user_id"]),
        roles=params["roles"],
        reason=reason,
        if_match=params["version"],
    )


def _described(params: Mapping[str, Any]) -> str:
    who = User.objects.filter(pk=parse(USER, params["user_id"])).values_list("email", flat=True).first()
    roles = params["roles"]
    return f"Give {who or params['user_id']} exactly the role{'' if len(roles) == 1 else 's'} {', '.join(roles)}."


def install() -> None:
    """Registers the action (apps.users.registration)."""
    approvable(
        GRANT_SUPER_ADMIN,
        execute=_execute,
        permission="staff.manage",
        title="Give the role super_admin",
        describe=_described,
    )
