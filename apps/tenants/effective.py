"""What a tenant has: its plan in force, price and limits key by key, each with where it comes from.

Order (design/domain.md, "Effective plan and limits"): operator override, else the subscription's plan, else the
plan given at provisioning. Promotions will stand between override and subscription once somebody owns them.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypedDict
from uuid import UUID

from apps.core.clock import now
from apps.plans import selectors as plans
from apps.plans.limits import LIMITS
from apps.plans.models import Plan, PlanVersion
from apps.tenants.enums import BillingOverrideType
from apps.tenants.models import BillingOverride, PlanOverride, Tenant, TenantFacts


class Origin(StrEnum):
    """Where a figure comes from."""

    OVERRIDE = "override"
    SUBSCRIPTION = "subscription"
    PLAN = "plan"


class SubscriptionFact(TypedDict):
    """`TenantFacts.subscription`: ids are the owner's; `plan_id` is the UUID of a plan, as text, or null."""

    id: str
    status: str
    current_period_end: str | None
    plan_id: str | None


# Statuses of a subscription that grant nothing (any more).
_NOT_GRANTING = frozenset({"incomplete", "incomplete_expired", "unpaid", "canceled"})


@dataclass(frozen=True, slots=True)
class Figure:
    """A limit: its value (None: unlimited) and its origin."""

    value: int | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class Effective:
    """What is in force for one tenant. `price_monthly` in major units of `currency`."""

    plan: Plan
    version: int
    origin: Origin
    price_monthly: Decimal
    currency: str
    price_origin: Origin
    limits: dict[str, Figure]
    features: dict[str, bool]
    capabilities: list[str]
    plan_override: PlanOverride | None
    billing_override: BillingOverride | None

    def values(self) -> dict[str, int | None]:
        """The limits without their origins."""
        return {key: figure.value for key, figure in self.limits.items()}


def in_force(override: PlanOverride | BillingOverride | None, at: datetime) -> bool:
    """True while it stands: neither lifted nor past its end."""
    return (
        override is not None
        and override.lifted_at is None
        and (override.ends_at is None or override.ends_at > at)
    )


def subscription_plan(fact: SubscriptionFact | None) -> UUID | None:
    """The plan that a subscription grants; None without one, or where its status grants nothing."""
    if not fact or not fact.get("plan_id") or fact.get("status") in _NOT_GRANTING:
        return None
    try:
        return UUID(str(fact["plan_id"]))
    except ValueError:
        return None


def decide(
    *,
    override: PlanOverride | None,
    subscription: SubscriptionFact | None,
    given: UUID,
    known: Collection[UUID],
    at: datetime,
) -> UUID:
    """Which plan is in force. A subscription to a plan that is not `known` (a product never mapped) grants nothing."""
    if override is not None and override.plan_id is not None and in_force(override, at):
        return override.plan_id
    subscribed = subscription_plan(subscription)
    return subscribed if subscribed in known and subscribed is not None else given


def effective_of(tenant: Tenant) -> Effective:
    """What one tenant has: as `effective_for`."""
    return effective_for([tenant])[tenant.id]


def effective_for(tenants: Sequence[Tenant]) -> dict[UUID, Effective]:
    """What each of them has: four queries, whatever their number; three where they came with their facts."""
    at = now()
    known = plans.catalogue()
    ids = [tenant.id for tenant in tenants]
    standing = PlanOverride.objects.filter(tenant_id__in=ids, lifted_at__isnull=True)
    plan_overrides = {row.tenant_id: row for row in standing if in_force(row, at)}
    paying = BillingOverride.objects.filter(tenant_id__in=ids, lifted_at__isnull=True)
    billing_overrides = {row.tenant_id: row for row in paying if in_force(row, at)}
    subscriptions = _subscriptions(tenants)
    return {
        tenant.id: resolve(
            known.plans[tenant.effective_plan_id],
            known.version(tenant.effective_plan_id, tenant.effective_version),
            plan_overrides.get(tenant.id),
            billing_overrides.get(tenant.id),
            subscriptions.get(tenant.id),
        )
        for tenant in tenants
    }


def _subscriptions(tenants: Sequence[Tenant]) -> dict[UUID, SubscriptionFact | None]:
    if all("facts" in tenant._state.fields_cache for tenant in tenants):  # noqa: SLF001  how Django says "loaded"
        return {tenant.id: tenant.facts.subscription for tenant in tenants}
    ids = [tenant.id for tenant in tenants]
    return dict(TenantFacts.objects.filter(tenant_id__in=ids).values_list("tenant_id", "subscription"))


def resolve(
    plan: Plan,
    version: PlanVersion,
    override: PlanOverride | None,
    billing: BillingOverride | None,
    subscription: SubscriptionFact | None,
) -> Effective:
    """What comes of a tenant's effective plan, the version that serves it, and the overrides in force."""
    origin = _origin(plan, override, subscription)
    price, price_origin = _price(plan, origin, override, billing)
    return Effective(
        plan=plan,
        version=version.version,
        origin=origin,
        price_monthly=price,
        currency=plan.currency,
        price_origin=price_origin,
        limits=dict(_limits(LIMITS, version, origin, override)),
        features=dict(version.features),
        capabilities=list(version.capabilities),
        plan_override=override,
        billing_override=billing,
    )


def _origin(plan: Plan, override: PlanOverride | None, subscription: SubscriptionFact | None) -> Origin:
    if override is not None and override.plan_id == plan.id:
        return Origin.OVERRIDE
    return Origin.SUBSCRIPTION if subscription_plan(subscription) == plan.id else Origin.PLAN


def _price(
    plan: Plan, origin: Origin, override: PlanOverride | None, billing: BillingOverride | None
) -> tuple[Decimal, Origin]:
    if billing is not None and billing.type == BillingOverrideType.COMP:
        return Decimal(0), Origin.OVERRIDE
    if override is not None and override.price_monthly is not None:
        return override.price_monthly, Origin.OVERRIDE
    return plan.monthly_major, origin


def _limits(
    keys: Iterable[str], version: PlanVersion, origin: Origin, override: PlanOverride | None
) -> Iterable[tuple[str, Figure]]:
    named = override.limits if override is not None else {}
    for key in keys:
        if key in named:
            yield key, Figure(named[key], Origin.OVERRIDE)
        else:
            yield key, Figure(version.limit(key), origin)
