"""Reads of the catalogue."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.core import ids
from apps.core.principal import Principal
from apps.plans.errors import PlanNotFound
from apps.plans.models import Plan, PlanVersion
from apps.plans.querysets import visible_to


def plans(
    principal: Principal,
    *,
    is_active: bool | None = None,
    search: str = "",
    permission: str = "plans.read",
) -> QuerySet[Plan]:
    """The catalogue, retired plans too; `search` is a part of name or slug, or an id."""
    found = visible_to(principal, permission)
    if is_active is not None:
        found = found.filter(is_active=is_active)
    if search:
        by_text = Q(name__icontains=search) | Q(slug__icontains=search)
        plan_id = ids.parse_or_none(ids.PLAN, search)
        found = found.filter(by_text | Q(id=plan_id) if plan_id else by_text)
    return found


def plan(principal: Principal, id_or_slug: str, *, permission: str = "plans.read") -> Plan:
    """One plan, by id or slug.

    Raises:
        PlanNotFound: no such plan, or not for this caller.
    """
    found = visible_to(principal, permission).filter(_named(id_or_slug)).first()
    if found is None:
        raise PlanNotFound
    return found


def find(id_or_slug: str) -> Plan | None:
    """The plan behind an id or a slug, for services; None: no such plan."""
    return Plan.objects.filter(_named(id_or_slug)).first()


def _named(id_or_slug: str) -> Q:
    plan_id = ids.parse_or_none(ids.PLAN, id_or_slug)
    return Q(id=plan_id) if plan_id else Q(slug=id_or_slug)


def newest_versions(found: Collection[Plan]) -> dict[UUID, PlanVersion]:
    """What each plan grants to who comes today, in one query."""
    by_number = {plan.id: plan.version for plan in found}
    rows = PlanVersion.objects.filter(plan_id__in=by_number)
    return {row.plan_id: row for row in rows if row.version == by_number[row.plan_id]}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All plans and versions as of one read: for what resolves many tenants at once."""

    plans: dict[UUID, Plan]
    versions: dict[tuple[UUID, int], PlanVersion]

    def version(self, plan_id: UUID, pinned: int) -> PlanVersion:
        """What a subscriber of that plan has who came at version `pinned`."""
        return self.versions[plan_id, self.plans[plan_id].version_for(pinned)]


def catalogue() -> Catalogue:
    """One query, whatever is done with it. Every plan has a version."""
    rows = list(PlanVersion.objects.select_related("plan"))
    return Catalogue(
        plans={row.plan_id: row.plan for row in rows},
        versions={(row.plan_id, row.version): row for row in rows},
    )
