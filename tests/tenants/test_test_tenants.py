"""Test tenants: made whole, found when their time is over."""

from datetime import timedelta

import pytest
from pytest_django import Settings

from apps.audit.models import AuditEntry
from apps.core.clock import now
from apps.core.models import Job
from apps.core.principal import Principal
from apps.tenants import sample_data
from apps.tenants.errors import PlanUnknown, TenantInvalid
from apps.tenants.models import Purge, Tenant, TenantFacts, Workspace
from apps.tenants.services import create_test_tenant, purge_expired_tests
from apps.tenants.services.test_tenants import MadeTestTenant
from tests.factories import actor, make_tenant


def make(days: int = 30, plan: str = "starter") -> MadeTestTenant:
    return create_test_tenant(
        actor=actor(),
        company_name="Trying GmbH",
        owner_email="try@people.example",
        plan=plan,
        auto_cleanup_days=days,
    )


@pytest.mark.django_db
def test_test_tenant_has_samples_an_end_and_one_audit_row(settings: Settings) -> None:
    settings.TENANT_LOGIN_URL = "https://{slug}.product.example/login"
    made = make(days=7)
    tenant = made.tenant
    assert tenant.is_test
    assert tenant.test_expires_at == made.expires_at
    assert timedelta(days=6, hours=23) < made.expires_at - now() <= timedelta(days=7)
    assert made.login_url == f"https://{tenant.slug}.product.example/login"
    assert set(Workspace.objects.filter(tenant=tenant).values_list("slug", flat=True)) == {"main", "sandbox"}
    assert TenantFacts.objects.get(tenant=tenant).workspaces == 2
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.resource_id) == ("tenant.create_test", tenant.public_id)
    assert "tenants.workspaces" in entry.metadata["samples"]


@pytest.mark.django_db
def test_failing_samples_leave_no_tenant(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(tenant: Tenant, principal: Principal) -> None:
        raise LookupError(tenant.slug)

    monkeypatch.setitem(sample_data._seeders, "broken", (5, fail))
    with pytest.raises(LookupError):
        make()
    assert not Tenant.objects.exists()


def test_two_seeders_can_not_share_a_name() -> None:
    with pytest.raises(ValueError, match="registered already"):
        sample_data.register("tenants.workspaces", lambda _tenant, _actor: None)


@pytest.mark.django_db
def test_days_and_plan_are_checked() -> None:
    for days in (0, 91):
        with pytest.raises(TenantInvalid):
            make(days=days)
    with pytest.raises(PlanUnknown):
        make(plan="platinum")


@pytest.mark.django_db
def test_expired_ones_alone_are_put_to_purge_once() -> None:
    past = now() - timedelta(minutes=1)
    expired = make_tenant(is_test=True, test_expires_at=past)
    make_tenant(is_test=True, test_expires_at=now() + timedelta(minutes=5))
    make_tenant()
    assert purge_expired_tests(actor=actor())["begun"] == 1
    assert Purge.objects.get().tenant_id == expired.id
    assert Tenant.objects.get(id=expired.id).status == "cancelled"
    assert Job.objects.filter(name="tenants.purge").count() == 1
    assert purge_expired_tests(actor=actor()) == {"begun": 0, "blocked": [], "resumed": 0}
    assert Job.objects.filter(name="tenants.purge").count() == 1


@pytest.mark.django_db
def test_one_that_can_not_go_now_keeps_no_other_from_going() -> None:
    past = now() - timedelta(minutes=1)
    stuck = make_tenant(is_test=True, test_expires_at=past - timedelta(days=1), status="provisioning")
    expired = make_tenant(is_test=True, test_expires_at=past)
    assert purge_expired_tests(actor=actor()) == {"begun": 1, "blocked": [stuck.public_id], "resumed": 0}
    assert Purge.objects.get().tenant_id == expired.id


@pytest.mark.django_db
def test_purge_whose_job_gave_up_is_asked_for_again() -> None:
    make_tenant(is_test=True, test_expires_at=now())
    purge_expired_tests(actor=actor())
    Job.objects.update(status="failed", finished_at=now())
    assert purge_expired_tests(actor=actor())["resumed"] == 1
    assert Job.objects.filter(name="tenants.purge", status="waiting").count() == 1
