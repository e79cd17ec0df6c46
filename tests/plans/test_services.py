"""Changes of the catalogue: versions, grandfathering, what is refused."""

from typing import Any

import pytest

from apps.audit.models import AuditEntry
from apps.core.errors import PreconditionFailed
from apps.core.ids import new_id
from apps.core.live import revision
from apps.plans import selectors
from apps.plans.errors import (
    ManagedByStripe,
    PlanInvalid,
    PlanNotFound,
    SlugImmutable,
    SlugTaken,
    StripeProductTaken,
)
from apps.plans.limits import LIMITS
from apps.plans.models import Plan, PlanVersion
from apps.plans.rules import PlanFields
from apps.plans.services import TOPIC, create_plan, update_plan
from apps.tenants.effective import effective_of
from tests.factories import actor, get_plan, make_tenant

NEW: PlanFields = {"name": "Team", "slug": "team", "price_monthly": 1900, "price_yearly": 19000}


def make(**fields: Any) -> Plan:
    given: PlanFields = {**NEW, **fields}  # type: ignore[typeddict-item]  # a test's own fields
    return create_plan(actor=actor(), **given)


def limits_of(plan: Plan) -> dict[str, int | None]:
    fresh = Plan.objects.get(id=plan.id)
    return dict(selectors.newest_versions([fresh])[plan.id].limits)


@pytest.mark.django_db
def test_created_plan_has_a_first_version_with_every_limit() -> None:
    before = revision(TOPIC)
    plan = make(limits={"max_users": 20}, features={"api_access": True}, capabilities=["postgres"])
    version = PlanVersion.objects.get(plan=plan)
    assert version.version == 1
    assert version.limits == {**dict.fromkeys(LIMITS), "max_users": 20}
    assert version.features["api_access"] is True
    assert version.features["white_label"] is False
    assert revision(TOPIC) == before + 1
    entry = AuditEntry.objects.get(action="plan.create")
    assert entry.resource_id == plan.public_id


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "blamed"),
    [
        ({"slug": "Team"}, "slug"),
        ({"slug": "sync"}, "slug"),
        ({"slug": "a" * 64}, "slug"),
        ({"slug": "pln_01JD8Z3K5Q6R7S8T9V0W1X2Y3Z"}, "slug"),
        ({"name": ""}, "name"),
        ({"price_monthly": -1}, "price_monthly"),
        ({"price_yearly": 10**13}, "price_yearly"),
        ({"currency": "usd"}, "currency"),
        ({"trial_days": 366}, "trial_days"),
        ({"stripe_product_id": "price_123"}, "stripe_product_id"),
        ({"limits": {"max_users": 0}}, "max_users"),
        ({"limits": {"max_users": -5}}, "max_users"),
        ({"limits": {"max_users": True}}, "max_users"),
        ({"limits": {"max_users": 2**53}}, "max_users"),
        ({"limits": {"max_cats": 5}}, "max_cats"),
        ({"features": {"teleport": True}}, "teleport"),
        ({"features": {"api_access": "yes"}}, "api_access"),
        ({"capabilities": ["postgres", "gopher"]}, "capabilities"),
        ({"capabilities": ["postgres", "postgres"]}, "capabilities"),
    ],
)
def test_wrong_field_is_refused_by_name_and_nothing_is_written(fields: dict[str, Any], blamed: str) -> None:
    with pytest.raises(PlanInvalid) as refused:
        make(**fields)
    assert list(refused.value.details) == [blamed]
    assert not Plan.objects.filter(name="Team").exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db
def test_required_fields_are_named() -> None:
    with pytest.raises(PlanInvalid) as refused:
        create_plan(actor=actor(), description="nothing else")
    assert set(refused.value.details) == {"name", "slug", "price_monthly", "price_yearly"}


@pytest.mark.django_db
def test_slug_or_product_of_another_plan_is_a_conflict() -> None:
    make(stripe_product_id="prod_1")
    with pytest.raises(SlugTaken):
        make()
    with pytest.raises(StripeProductTaken):
        make(slug="team2", stripe_product_id="prod_1")


@pytest.mark.django_db
def test_changed_limits_make_a_version_and_keep_the_others() -> None:
    plan = get_plan("starter")
    old = limits_of(plan)
    update_plan(actor=actor(), plan_id=plan.id, limits={"max_users": 77})
    plan.refresh_from_db()
    assert (plan.version, plan.minimum_version, plan.row_version) == (2, 2, 2)
    assert limits_of(plan) == {**old, "max_users": 77}
    assert PlanVersion.objects.get(plan=plan, version=1).limits == old


@pytest.mark.django_db
def test_changed_price_makes_no_version() -> None:
    plan = get_plan("starter")
    update_plan(actor=actor(), plan_id=plan.id, price_monthly=3100, limits={"max_users": 5})
    plan.refresh_from_db()
    assert (plan.version, plan.row_version, plan.price_monthly) == (1, 2, 3100)


@pytest.mark.django_db
def test_replaced_version_reaches_todays_subscribers() -> None:
    tenant = make_tenant("starter")
    update_plan(actor=actor(), plan_id=tenant.plan_id, limits={"max_users": 3})
    assert effective_of(tenant).limits["max_users"].value == 3


@pytest.mark.django_db
def test_grandfathered_subscribers_keep_their_version_and_new_ones_get_the_newest() -> None:
    before = make_tenant("starter")
    update_plan(actor=actor(), plan_id=before.plan_id, grandfather=True, limits={"max_users": 3})
    after = make_tenant("starter")
    assert effective_of(before).limits["max_users"].value == 5
    assert effective_of(after).limits["max_users"].value == 3
    # A later change without it is for everybody.
    update_plan(actor=actor(), plan_id=before.plan_id, limits={"max_users": 4})
    assert effective_of(before).limits["max_users"].value == 4
    assert effective_of(after).limits["max_users"].value == 4


@pytest.mark.django_db
def test_slug_of_a_plan_with_subscribers_is_immutable() -> None:
    tenant = make_tenant("starter")
    with pytest.raises(SlugImmutable):
        update_plan(actor=actor(), plan_id=tenant.plan_id, slug="entry")
    update_plan(actor=actor(), plan_id=tenant.plan_id, slug="starter", name="Entry")
    unused = get_plan("pro")
    update_plan(actor=actor(), plan_id=unused.id, slug="pro2")
    assert selectors.find("pro2") is not None


@pytest.mark.django_db
@pytest.mark.parametrize("fields", [{"name": "Other"}, {"is_active": False}, {"price_monthly": 5}])
def test_mapped_plan_takes_name_state_and_price_from_stripe_alone(fields: dict[str, Any]) -> None:
    plan = make(stripe_product_id="prod_9")
    with pytest.raises(ManagedByStripe):
        update_plan(actor=actor(), plan_id=plan.id, **fields)
    update_plan(
        actor=actor(), plan_id=plan.id, name="Team", price_monthly=1900, description="Same, said again."
    )
    assert Plan.objects.get(id=plan.id).description == "Same, said again."


@pytest.mark.django_db
def test_stale_version_is_refused_with_the_present_one() -> None:
    plan = get_plan("starter")
    update_plan(actor=actor(), plan_id=plan.id, if_match=1, description="one")
    with pytest.raises(PreconditionFailed) as refused:
        update_plan(actor=actor(), plan_id=plan.id, if_match=1, description="two")
    assert refused.value.details == {"current": 2}
    assert Plan.objects.get(id=plan.id).description == "one"


@pytest.mark.django_db
def test_unknown_plan_is_not_found() -> None:
    with pytest.raises(PlanNotFound):
        update_plan(actor=actor(), plan_id=new_id(), name="x")
