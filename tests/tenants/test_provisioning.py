"""A tenant comes into being: what it is made of, and whose slug is whose."""

from datetime import timedelta
from typing import Any

import pytest

from apps.audit.models import AuditDetail, AuditEntry
from apps.core.clock import now
from apps.core.ids import new_id
from apps.plans.models import Plan
from apps.plans.services import update_plan
from apps.tenants.errors import PlanUnknown, SlugTaken, TenantInvalid
from apps.tenants.models import Purge, StatusChange, Tenant, TenantFacts, TenantTombstone
from apps.tenants.services import Provisioned, provision_tenant
from tests.factories import actor, get_plan


def provision(**fields: Any) -> Provisioned:
    given: dict[str, Any] = {
        "company_name": "Acme & Søn",
        "owner_email": "Jane@Acme.example",
        "plan": "starter",
        **fields,
    }
    return provision_tenant(actor=actor(), **given)


@pytest.mark.django_db
def test_provisioned_tenant_is_on_trial_with_facts_history_and_one_audit_row() -> None:
    tenant = provision().tenant
    assert (tenant.slug, tenant.owner_email, tenant.status) == ("acme-sn", "jane@acme.example", "trial")
    assert tenant.trial_ends_at is not None
    assert timedelta(days=13, hours=23) < tenant.trial_ends_at - now() <= timedelta(days=14)
    assert tenant.effective_plan_id == tenant.plan_id == get_plan("starter").id
    facts = TenantFacts.objects.get(tenant=tenant)
    assert (facts.workspaces, facts.members, facts.mrr, facts.usage) == (0, None, None, None)
    change = StatusChange.objects.get(tenant=tenant)
    assert (change.from_status, change.to_status) == ("provisioning", "trial")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.resource_id) == ("tenant.provision", tenant.public_id)
    assert entry.tenant_id == tenant.id


@pytest.mark.django_db
def test_trail_of_a_provisioning_holds_no_personal_data() -> None:
    provision()
    assert not any("jane" in detail.body.lower() for detail in AuditDetail.objects.all())


@pytest.mark.django_db
@pytest.mark.parametrize(("days", "status"), [(0, "active"), (7, "trial")])
def test_days_of_trial_decide_the_status(days: int, status: str) -> None:
    tenant = provision(trial_days=days).tenant
    assert tenant.status == status
    assert (tenant.activated_at is not None) is (status == "active")
    assert (tenant.trial_ends_at is None) is (status == "active")


@pytest.mark.django_db
def test_version_of_the_day_is_the_tenants() -> None:
    update_plan(actor=actor(), plan_id=get_plan("starter").id, limits={"max_users": 6})
    tenant = provision().tenant
    assert (tenant.plan_version.version, tenant.effective_version) == (2, 2)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "blamed"),
    [
        ({"company_name": "  "}, "company_name"),
        ({"company_name": "x" * 201}, "company_name"),
        ({"owner_email": "nobody"}, "owner_email"),
        ({"slug": "Not Good"}, "slug"),
        ({"slug": "-a-"}, "slug"),
        ({"slug": "test"}, "slug"),
        ({"trial_days": -1}, "trial_days"),
        ({"country": "deu"}, "country"),
    ],
)
def test_wrong_field_is_refused_by_name(fields: dict[str, Any], blamed: str) -> None:
    with pytest.raises(TenantInvalid) as refused:
        provision(**fields)
    assert list(refused.value.details) == [blamed]
    assert not Tenant.objects.exists()


@pytest.mark.django_db
def test_unknown_and_retired_plans_are_refused() -> None:
    with pytest.raises(PlanUnknown):
        provision(plan="platinum")
    Plan.objects.filter(slug="pro").update(is_active=False)
    with pytest.raises(PlanUnknown):
        provision(plan="pro")
    assert provision(plan=get_plan("growth").public_id).tenant.plan.slug == "growth"


@pytest.mark.django_db
def test_slug_of_a_tenant_or_of_a_purged_one_is_taken() -> None:
    provision(slug="acme")
    with pytest.raises(SlugTaken):
        provision(slug="acme")
    purge = Purge.objects.create(tenant_id=new_id(), slug="gone", status="done")
    TenantTombstone.objects.create(tenant_id=purge.tenant_id, slug="gone", purge=purge)
    with pytest.raises(SlugTaken):
        provision(slug="gone")
    assert Tenant.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("company", ["Acme & Søn", "Test", "日本語", "a" * 200, "__"])
def test_slug_is_made_from_the_name_and_never_taken_twice(company: str) -> None:
    first = provision(company_name=company).tenant.slug
    second = provision(company_name=company).tenant.slug
    assert first != second
    assert "test" not in {first, second}
