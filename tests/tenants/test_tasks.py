"""The jobs of tenants, run as a worker runs them."""

from datetime import timedelta

import pytest

from apps.core.clock import now
from apps.core.jobs import runner, schedules
from apps.core.models import Job
from apps.tenants.models import PlanOverride, Tenant, TenantFacts, TenantTombstone
from apps.tenants.services import start_purge
from tests.factories import actor, get_plan, make_facts, make_tenant


def run(name: str) -> Job:
    """Runs the one waiting job of that name."""
    row = Job.objects.get(name=name, status="waiting")
    runner.run(str(row.id))
    row.refresh_from_db()
    return row


@pytest.mark.django_db(transaction=True)
def test_expired_test_tenant_is_gone_after_the_hourly_job_and_its_purge() -> None:
    tenant = make_tenant(is_test=True, test_expires_at=now() - timedelta(hours=1))
    assert schedules.start_due("tenants.purge_expired_tests")
    hourly = run("tenants.purge_expired_tests")
    assert hourly.result == {"begun": 1, "blocked": [], "resumed": 0}
    purge = run("tenants.purge")
    assert purge.status == "completed"
    assert purge.progress is not None
    assert purge.result is not None
    assert purge.result["tenants"] >= 2
    assert not Tenant.objects.filter(id=tenant.id).exists()
    assert TenantTombstone.objects.get(tenant_id=tenant.id).was_test


@pytest.mark.django_db(transaction=True)
def test_purge_of_an_operator_runs_on_the_queue_of_operators() -> None:
    start_purge(actor=actor(), tenant_id=make_tenant().id, reason="asked to")
    row = Job.objects.get(name="tenants.purge")
    assert (row.engine, row.queue, row.actor["id"]) == ("rq", "operator", actor().id)


@pytest.mark.django_db(transaction=True)
def test_override_at_its_end_is_lifted_by_the_minute() -> None:
    tenant = make_tenant("starter")
    PlanOverride.objects.create(
        tenant=tenant, plan=get_plan("pro"), actor_id="usr_x", ends_at=now() - timedelta(seconds=1)
    )
    Tenant.objects.filter(id=tenant.id).update(effective_plan=get_plan("pro"))
    schedules.start_due("tenants.end_overrides")
    assert run("tenants.end_overrides").result == {"ended": 1}
    assert Tenant.objects.get(id=tenant.id).effective_plan.slug == "starter"
    assert PlanOverride.objects.get().lifted_by == "tenants.end_overrides"


@pytest.mark.django_db(transaction=True)
def test_nightly_rebuild_reports_the_drift_it_corrected() -> None:
    tenant = make_tenant()
    make_facts(tenant, workspaces=9)
    schedules.start_due("tenants.rebuild_facts")
    result = run("tenants.rebuild_facts").result
    assert result is not None
    assert (result["workspaces"]["checked"], result["workspaces"]["drifted"]) == (1, 1)
    assert result["workspaces"]["examples"][0]["tenant_id"] == tenant.public_id
    assert TenantFacts.objects.get(tenant=tenant).workspaces == 0
