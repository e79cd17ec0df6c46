"""Overrides: what they change, what holds against them, and what is refused."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from apps.audit.models import AuditDetail, AuditEntry
from apps.core.clock import now
from apps.core.errors import PreconditionFailed
from apps.plans.models import Plan
from apps.tenants import facts
from apps.tenants.effective import Origin, SubscriptionFact, effective_for, effective_of
from apps.tenants.errors import NotOnTrial, OverrideInvalid
from apps.tenants.models import BillingOverride, PlanOverride, Tenant
from apps.tenants.services import (
    change_overrides,
    end_overrides,
    lift_billing_override,
    lift_plan_override,
    override_billing,
    override_plan,
)
from apps.tenants.terms import BillingTerms, PlanTerms
from tests.factories import actor, get_plan, make_facts, make_tenant


def set_plan(tenant: Tenant, **terms: Any) -> Tenant:
    return override_plan(actor=actor(), tenant_id=tenant.id, terms=PlanTerms(**terms))


def set_billing(tenant: Tenant, **terms: Any) -> Tenant:
    given = {"reason": "a good customer", **terms}
    return override_billing(actor=actor(), tenant_id=tenant.id, terms=BillingTerms(**given))


def subscribe(tenant: Tenant, plan: str, status: str = "active") -> None:
    fact: SubscriptionFact = {
        "id": "sub_1",
        "status": status,
        "current_period_end": None,
        "plan_id": str(get_plan(plan).id),
    }
    facts.set_subscription(tenant.id, fact)


@pytest.mark.django_db
def test_without_override_or_subscription_the_given_plan_is_in_force() -> None:
    tenant = make_tenant("starter")
    found = effective_of(tenant)
    assert (found.plan.slug, found.origin, found.price_monthly) == ("starter", Origin.PLAN, Decimal("29.00"))
    assert {figure.origin for figure in found.limits.values()} == {Origin.PLAN}
    assert found.values()["max_workspaces"] == 3


@pytest.mark.django_db
def test_override_stands_before_subscription_before_given_plan() -> None:
    tenant = make_tenant("starter")
    subscribe(tenant, "growth")
    tenant.refresh_from_db()
    assert (effective_of(tenant).plan.slug, effective_of(tenant).origin) == ("growth", Origin.SUBSCRIPTION)
    set_plan(tenant, plan="enterprise")
    tenant.refresh_from_db()
    assert (effective_of(tenant).plan.slug, effective_of(tenant).origin) == ("enterprise", Origin.OVERRIDE)
    # A webhook comes in: the override holds.
    subscribe(tenant, "pro")
    tenant.refresh_from_db()
    assert tenant.effective_plan.slug == "enterprise"
    lift_plan_override(actor=actor(), tenant_id=tenant.id)
    tenant.refresh_from_db()
    assert tenant.effective_plan.slug == "pro"
    subscribe(tenant, "pro", status="canceled")
    tenant.refresh_from_db()
    assert tenant.effective_plan.slug == "starter"


@pytest.mark.django_db
def test_limits_resolve_key_by_key() -> None:
    tenant = make_tenant("starter")
    set_plan(tenant, limits={"max_users": 500, "max_domains": None, "max_functions": 0})
    limits = effective_of(Tenant.objects.get(id=tenant.id)).limits
    assert (limits["max_users"].value, limits["max_users"].origin) == (500, Origin.OVERRIDE)
    assert (limits["max_domains"].value, limits["max_domains"].origin) == (None, Origin.OVERRIDE)
    assert (limits["max_functions"].value, limits["max_functions"].origin) == (0, Origin.OVERRIDE)
    assert (limits["max_workspaces"].value, limits["max_workspaces"].origin) == (3, Origin.PLAN)


@pytest.mark.django_db
def test_price_is_the_operators_or_nothing_at_all_when_comped() -> None:
    tenant = make_tenant("starter")
    set_plan(tenant, custom_pricing=True, price_monthly=Decimal("9.50"))
    assert effective_of(tenant).price_monthly == Decimal("9.50")
    assert effective_of(tenant).price_origin is Origin.OVERRIDE
    set_billing(tenant, type="comp")
    assert effective_of(tenant).price_monthly == Decimal(0)


@pytest.mark.django_db
def test_new_override_replaces_the_one_in_force_as_a_whole() -> None:
    tenant = make_tenant("starter")
    set_plan(tenant, plan="pro")
    set_plan(tenant, limits={"max_users": 9})
    tenant.refresh_from_db()
    assert tenant.effective_plan.slug == "starter"
    former, standing = PlanOverride.objects.filter(tenant=tenant).order_by("created_at", "id")
    assert former.lifted_at is not None
    assert former.lifted_by == actor().id
    assert standing.lifted_at is None


@pytest.mark.django_db
def test_both_kinds_at_once_are_one_audit_row() -> None:
    tenant = make_tenant("starter")
    change_overrides(
        actor=actor(),
        tenant_id=tenant.id,
        plan_override=PlanTerms(plan="growth", price_monthly=Decimal(50)),
        billing_override=BillingTerms(type="payment_method", method="wire", reason="asked by their bank"),
    )
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.tenant_id) == ("tenant.override", tenant.id)
    body = AuditDetail.objects.get(entry=entry, part="subject").body
    assert "asked by their bank" in body
    assert '"method":"wire"' in body
    change_overrides(actor=actor(), tenant_id=tenant.id, plan_override=None, billing_override=None)
    assert AuditEntry.objects.count() == 2
    assert not PlanOverride.objects.filter(lifted_at__isnull=True).exists()
    assert not BillingOverride.objects.filter(lifted_at__isnull=True).exists()
    assert Tenant.objects.get(id=tenant.id).effective_plan.slug == "starter"


@pytest.mark.django_db
def test_one_bad_half_undoes_the_other() -> None:
    tenant = make_tenant("starter")
    with pytest.raises(OverrideInvalid):
        change_overrides(
            actor=actor(),
            tenant_id=tenant.id,
            plan_override=PlanTerms(plan="growth"),
            billing_override=BillingTerms(type="custom_cycle", reason="no cycle named"),
        )
    assert not PlanOverride.objects.exists()
    assert not AuditEntry.objects.exists()
    assert Tenant.objects.get(id=tenant.id).version == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("terms", "blamed"),
    [
        ({}, "plan_override"),
        ({"plan": "platinum"}, "plan_override.plan_id"),
        ({"custom_pricing": True}, "plan_override.price_monthly"),
        ({"custom_pricing": False, "price_monthly": Decimal(5)}, "plan_override.custom_pricing"),
        ({"price_monthly": Decimal(-1)}, "plan_override.price_monthly"),
        ({"price_monthly": Decimal("1.005")}, "plan_override.price_monthly"),
        ({"price_monthly": Decimal(10) ** 12}, "plan_override.price_monthly"),
        ({"limits": {"max_users": -1}}, "plan_override.limits.max_users"),
        ({"limits": {"max_users": 2**53}}, "plan_override.limits.max_users"),
        ({"limits": {"max_cats": 1}}, "plan_override.limits.max_cats"),
        ({"plan": "pro", "reason": "x" * 501}, "plan_override.reason"),
        ({"plan": "pro", "ends_at": datetime(2020, 1, 1, tzinfo=UTC)}, "plan_override.ends_at"),
    ],
)
def test_wrong_plan_terms_are_refused_by_name(terms: dict[str, Any], blamed: str) -> None:
    tenant = make_tenant("starter")
    with pytest.raises(OverrideInvalid) as refused:
        set_plan(tenant, **terms)
    assert list(refused.value.details) == [blamed]
    assert not PlanOverride.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("terms", "blamed"),
    [
        ({"type": "gift"}, "type"),
        ({"type": "comp", "reason": "  "}, "reason"),
        ({"type": "extended_trial"}, "trial_end_date"),
        ({"type": "extended_trial", "trial_ends_at": datetime(2020, 1, 1, tzinfo=UTC)}, "trial_end_date"),
        ({"type": "custom_cycle"}, "cycle"),
        ({"type": "custom_cycle", "cycle": "weekly"}, "cycle"),
        ({"type": "payment_method"}, "method"),
        ({"type": "payment_method", "method": "cash"}, "method"),
        ({"type": "comp", "method": "wire"}, "method"),
        ({"type": "comp", "cycle": "annual"}, "cycle"),
    ],
)
def test_wrong_billing_terms_are_refused_by_name(terms: dict[str, Any], blamed: str) -> None:
    tenant = make_tenant("starter")
    with pytest.raises(OverrideInvalid) as refused:
        set_billing(tenant, **terms)
    assert list(refused.value.details) == [f"billing_override.{blamed}"]
    assert not BillingOverride.objects.exists()


@pytest.mark.django_db
def test_retired_plan_can_not_be_given() -> None:
    tenant = make_tenant("starter")
    Plan.objects.filter(slug="pro").update(is_active=False)
    with pytest.raises(OverrideInvalid):
        set_plan(tenant, plan="pro")


@pytest.mark.django_db
def test_extended_trial_moves_the_end_and_lifting_gives_it_back() -> None:
    old, new = now() + timedelta(days=3), now() + timedelta(days=30)
    tenant = make_tenant(status="trial", trial_ends_at=old)
    set_billing(tenant, type="extended_trial", trial_ends_at=new)
    tenant.refresh_from_db()
    assert tenant.trial_ends_at == new
    later = new + timedelta(days=10)
    set_billing(tenant, type="extended_trial", trial_ends_at=later)
    tenant.refresh_from_db()
    assert tenant.trial_ends_at == later
    lift_billing_override(actor=actor(), tenant_id=tenant.id)
    tenant.refresh_from_db()
    assert tenant.trial_ends_at == old


@pytest.mark.django_db
def test_extended_trial_never_shortens_and_is_not_for_the_cancelled() -> None:
    tenant = make_tenant(status="trial", trial_ends_at=now() + timedelta(days=30))
    with pytest.raises(OverrideInvalid):
        set_billing(tenant, type="extended_trial", trial_ends_at=now() + timedelta(days=10))
    gone = make_tenant(status="cancelled", cancelled_at=now())
    with pytest.raises(NotOnTrial):
        set_billing(gone, type="extended_trial", trial_ends_at=now() + timedelta(days=10))


@pytest.mark.django_db
def test_lifting_where_nothing_stands_changes_nothing() -> None:
    tenant = make_tenant()
    lifted = lift_plan_override(actor=actor(), tenant_id=tenant.id)
    assert lifted.version == 1
    assert lift_billing_override(actor=actor(), tenant_id=tenant.id).version == 1
    assert AuditEntry.objects.count() == 2


@pytest.mark.django_db
def test_stale_version_is_refused() -> None:
    tenant = make_tenant()
    set_plan(tenant, plan="growth")
    with pytest.raises(PreconditionFailed):
        change_overrides(actor=actor(), tenant_id=tenant.id, if_match=1, plan_override=None)


@pytest.mark.django_db
def test_override_with_an_end_is_lifted_when_it_has_come() -> None:
    tenant = make_tenant("starter")
    set_plan(tenant, plan="growth", limits={"max_users": 999}, ends_at=now() + timedelta(days=2))
    set_billing(tenant, type="comp", ends_at=now() + timedelta(days=2))
    assert end_overrides(actor=actor()) == 0
    with time_machine.travel(now() + timedelta(days=3)):
        # Limits and price end by themselves, the plan with the next run.
        assert effective_of(Tenant.objects.get(id=tenant.id)).limits["max_users"].value != 999
        assert end_overrides(actor=actor()) == 2
        assert end_overrides(actor=actor()) == 0
    tenant.refresh_from_db()
    assert tenant.effective_plan.slug == "starter"


@pytest.mark.django_db
def test_subscription_to_an_unmapped_product_grants_nothing() -> None:
    tenant = make_tenant("starter")
    facts.set_subscription(
        tenant.id,
        {"id": "sub_1", "status": "active", "current_period_end": None, "plan_id": "prod_unknown"},
    )
    tenant.refresh_from_db()
    assert tenant.effective_plan.slug == "starter"


@pytest.mark.django_db
def test_resolving_many_tenants_costs_the_queries_of_one(
    django_assert_num_queries: Any,
) -> None:
    tenants = [make_tenant(slug) for slug in ("starter", "growth", "pro") for _ in range(5)]
    set_plan(tenants[0], plan="enterprise")
    make_facts(tenants[1], members=4)
    for some in (tenants[:1], tenants):
        with django_assert_num_queries(4):
            effective_for(some)
