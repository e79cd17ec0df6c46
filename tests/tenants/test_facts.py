"""Facts pushed down: who writes them, how they count, and what the night puts right."""

from collections.abc import Collection
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import connection

from apps.audit.models import AuditEntry
from apps.tenants import facts
from apps.tenants.models import PlanOverride, Tenant, TenantFacts
from tests.factories import actor, get_plan, make_facts, make_tenant, make_workspace


@pytest.mark.django_db
def test_owners_write_their_own_column_and_no_other() -> None:
    tenant = make_tenant()
    facts.set_members(tenant.id, 3)
    facts.set_mrr(tenant.id, Decimal("29.00"), "USD")
    facts.set_usage(tenant.id, {"domains": 2})
    facts.set_workspaces(tenant.id, 1)
    row = TenantFacts.objects.get(tenant=tenant)
    assert (row.members, row.mrr, row.currency) == (3, Decimal("29.00"), "USD")
    assert (row.usage, row.workspaces, row.subscription) == ({"domains": 2}, 1, None)


@pytest.mark.django_db(transaction=True)
def test_fact_outside_a_transaction_is_a_programming_error() -> None:
    tenant = make_tenant()
    assert not connection.in_atomic_block
    with pytest.raises(RuntimeError):
        facts.set_members(tenant.id, 3)
    with pytest.raises(RuntimeError):
        facts.refresh("workspaces", tenant.id)


@pytest.mark.django_db
def test_refresh_counts_workspaces_that_are_not_deactivated() -> None:
    tenant, other = make_tenant(), make_tenant()
    make_workspace(tenant)
    make_workspace(tenant, status="suspended")
    make_workspace(tenant, status="deactivated")
    facts.refresh("workspaces", tenant.id, other.id)
    assert TenantFacts.objects.get(tenant=tenant).workspaces == 2
    assert TenantFacts.objects.get(tenant=other).workspaces == 0


def test_column_that_is_none_can_not_be_owned() -> None:
    with pytest.raises(ValueError, match="no column"):
        facts.own("shoe_size", lambda _: {})


@pytest.mark.django_db
def test_rebuild_corrects_and_reports_what_had_drifted(monkeypatch: pytest.MonkeyPatch) -> None:
    right, wrong, lost = make_tenant(), make_tenant(), make_tenant()
    for tenant in (right, wrong):
        make_workspace(tenant)
    make_facts(right, workspaces=1)
    make_facts(wrong, workspaces=7)
    make_facts(lost, workspaces=0)
    PlanOverride.objects.create(tenant=lost, plan=get_plan("pro"), actor_id="usr_x")
    monkeypatch.setattr(facts, "_BATCH", 2)
    monkeypatch.setitem(facts._recounts, "members", _nobody)
    make_facts(wrong, members=0)
    make_facts(right, members=0)
    make_facts(lost, members=0)
    found = facts.rebuild(actor=actor())
    assert (found["workspaces"].checked, found["workspaces"].drifted) == (3, 1)
    example = found["workspaces"].examples[0]
    assert example == {"tenant_id": wrong.public_id, "kept": "7", "counted": "1"}
    assert (found["members"].checked, found["members"].drifted) == (3, 0)
    assert found["effective_plan"].drifted == 1
    assert Tenant.objects.get(id=lost.id).effective_plan.slug == "pro"
    assert TenantFacts.objects.get(tenant=wrong).workspaces == 1
    rows = AuditEntry.objects.count()
    again = facts.rebuild(actor=actor())
    assert sum(drift.drifted for drift in again.values()) == 0
    assert AuditEntry.objects.count() == rows


def _nobody(tenant_ids: Collection[UUID]) -> dict[UUID, int]:
    return {}


@pytest.mark.django_db
def test_rebuild_without_tenants_finds_nothing() -> None:
    assert sum(drift.checked for drift in facts.rebuild(actor=actor()).values()) == 0
