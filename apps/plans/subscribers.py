"""What the catalogue asks about those who live by it. They stand on a floor above, which registers the answers.

Their number is not kept in the plan's row, where every provisioning of that plan would wait for every other one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from apps.core.principal import Principal


@dataclass(frozen=True, slots=True)
class Exceeded:
    """One limit that a subscriber would be above."""

    limit: str
    usage: float
    proposed: int


@dataclass(frozen=True, slots=True)
class Affected:
    """A subscriber that would be above at least one proposed limit."""

    tenant_id: UUID
    tenant_name: str
    exceeded: Sequence[Exceeded]


class Subscribers(Protocol):
    """Answers about subscribers; each reads in the present transaction."""

    def count(self, plan_ids: Collection[UUID]) -> Mapping[UUID, int]:
        """How many live by each plan now; a plan without any may be left out."""

    def affected(
        self, *, actor: Principal, plan_id: UUID, limits: Mapping[str, int], most: int
    ) -> tuple[int, Sequence[Affected]]:
        """How many would be above one of the limits, and the newest `most` of them that `actor` may see."""


_registered: list[Subscribers] = []


def register(source: Subscribers) -> None:
    """Said once, in the `apps.py` of the floor that knows.

    Raises:
        ValueError: somebody else answers already.
    """
    if _registered and type(_registered[0]) is not type(source):
        raise ValueError("subscribers of plans are answered for already")
    _registered[:] = [source]


def counts(plan_ids: Collection[UUID]) -> Mapping[UUID, int] | None:
    """Subscribers by plan; None while nobody can say."""
    return _registered[0].count(plan_ids) if _registered else None


def affected(
    *, actor: Principal, plan_id: UUID, limits: Mapping[str, int], most: int
) -> tuple[int, Sequence[Affected]]:
    """Who would be above the limits; nobody while nobody can say."""
    if not _registered:
        return 0, []
    return _registered[0].affected(actor=actor, plan_id=plan_id, limits=limits, most=most)
