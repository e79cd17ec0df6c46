"""Answers for the catalogue: who lives by a plan, and who would be above new limits (apps.plans.subscribers)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from apps.core.counts import kept_parts
from apps.core.principal import Principal
from apps.plans.limits import LIMITS
from apps.plans.subscribers import Affected, Exceeded
from apps.tenants.enums import TenantStatus
from apps.tenants.models import PlanOverride, Tenant, TenantFacts
from apps.tenants.querysets import visible_to

# Meters that are columns of the facts; the others are keys of `usage`.
_COLUMNS = {"users": "members", "workspaces": "workspaces"}


class Tenants:
    """Tenants that are not cancelled, by their effective plan; test tenants count too."""

    def count(self, plan_ids: Collection[UUID]) -> Mapping[UUID, int]:
        kept = kept_parts(Tenant)
        return {plan_id: kept.get(str(plan_id), 0) for plan_id in plan_ids}

    def affected(
        self, *, actor: Principal, plan_id: UUID, limits: Mapping[str, int], most: int
    ) -> tuple[int, Sequence[Affected]]:
        """An override of a limit holds against the plan: such a tenant is not above it."""
        above = Q()
        for key, proposed in limits.items():
            override = PlanOverride.objects.filter(
                tenant_id=OuterRef("id"), lifted_at__isnull=True, limits__has_key=key
            )
            above |= Q(**{f"{_path(key)}__gt": proposed}) & ~Q(Exists(override))
        if not limits:
            return 0, []
        found = (
            visible_to(actor)
            .filter(above, effective_plan_id=plan_id, facts__isnull=False)
            .exclude(status=TenantStatus.CANCELLED)
            .order_by("-created_at", "-id")
        )
        newest = list(found.select_related("facts")[:most])
        standing = PlanOverride.objects.filter(tenant__in=newest, lifted_at__isnull=True)
        own = {row.tenant_id: row.limits for row in standing}
        return found.count(), [
            Affected(
                tenant_id=tenant.id,
                tenant_name=tenant.company_name,
                exceeded=_exceeded(tenant.facts, limits, own.get(tenant.id, {})),
            )
            for tenant in newest
        ]


def _path(key: str) -> str:
    meter = LIMITS[key].meter
    return f"facts__{_COLUMNS[meter]}" if meter in _COLUMNS else f"facts__usage__{meter}"


def usage_of(facts: TenantFacts | None) -> dict[str, Any]:
    """Every meter of a tenant; null where its owner has not written one."""
    written = (facts.usage if facts is not None else None) or {}
    found: dict[str, Any] = {limit.meter: written.get(limit.meter) for limit in LIMITS.values()}
    for meter, column in _COLUMNS.items():
        found[meter] = getattr(facts, column) if facts is not None else None
    return found


def _exceeded(facts: TenantFacts, limits: Mapping[str, int], own: Mapping[str, Any]) -> list[Exceeded]:
    usage = usage_of(facts)
    return [
        Exceeded(limit=key, usage=usage[LIMITS[key].meter], proposed=proposed)
        for key, proposed in limits.items()
        if key not in own and usage[LIMITS[key].meter] is not None and usage[LIMITS[key].meter] > proposed
    ]
