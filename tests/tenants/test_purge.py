"""The end of a tenant: nothing remains but the trail and the tombstone, whatever happens on the way."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import connection, models
from pytest_django import Settings

from apps.audit.models import AuditEntry
from apps.core import aspects
from apps.core.aspects import Aspect, Subject
from apps.core.clock import now
from apps.core.errors import NotFound
from apps.core.ids import new_id
from apps.core.models import Job
from apps.core.objectstore import StoreUnavailable
from apps.core.principal import Principal, system
from apps.tenants.errors import BeingPurged, InvalidTransition, PurgeBlocked, SlugTaken, TenantNotFound
from apps.tenants.models import Purge, Tenant, TenantTombstone, Workspace
from apps.tenants.services import (
    create_test_tenant,
    override_billing,
    override_plan,
    provision_tenant,
    run_purge,
    start_purge,
    suspend_tenant,
)
from apps.tenants.terms import BillingTerms, PlanTerms
from tests.core.processes import environment
from tests.factories import actor, make_member, make_tenant

# What stays of a purged tenant: the trail, the purge itself, the tombstone.
STAYS = {"audit.AuditEntry", "tenants.Purge", "tenants.TenantTombstone"}


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[aspects.Registry]:
    """The registry as it is, to which a test may add."""
    kept = dict(aspects.registry._by_key)
    yield aspects.registry
    aspects.registry._by_key = kept


def full_tenant() -> Tenant:
    """A tenant with something in every table that a test tenant fills, and overrides and jobs besides."""
    tenant = create_test_tenant(
        actor=actor(), company_name="Gone Ltd", owner_email="gone@people.example", plan="starter"
    ).tenant
    make_member(tenant)
    override_plan(actor=actor(), tenant_id=tenant.id, terms=PlanTerms(plan="pro"))
    override_billing(actor=actor(), tenant_id=tenant.id, terms=BillingTerms(type="comp", reason="friend"))
    suspend_tenant(actor=actor(), tenant_id=tenant.id)
    Job.objects.create(name="somebody.else", engine="celery", queue="default", tenant_id=tenant.id)
    return tenant


def traces(tenant_id: UUID) -> dict[str, int]:
    """Rows by table that name the tenant: by foreign key, or in a column called tenant_id."""
    found = {}
    for model in apps.get_models():
        for column in model._meta.get_fields():
            if not isinstance(column, models.Field):
                continue
            related = column.related_model is Tenant
            if related or (column.column == "tenant_id" and isinstance(column, models.UUIDField)):
                count = model._default_manager.filter(**{column.attname: tenant_id}).count()
                if count:
                    found[model._meta.label] = count
    if Tenant.objects.filter(id=tenant_id).exists():
        found["tenants.Tenant"] = 1
    return found


def purge(tenant_id: UUID) -> Purge:
    started = start_purge(actor=actor(), tenant_id=tenant_id, reason="asked to")
    run_purge(actor=actor(), purge_id=started.id)
    return Purge.objects.get(id=started.id)


@pytest.mark.django_db
def test_purge_leaves_the_trail_and_the_tombstone_and_nothing_else() -> None:
    tenant, other = full_tenant(), full_tenant()
    before, others = traces(tenant.id), traces(other.id)
    assert {"tenants.Workspace", "tenants.TenantKey", "users.Membership", "core.Job"} <= set(before)
    done = purge(tenant.id)
    assert set(traces(tenant.id)) == STAYS
    assert traces(other.id) == others
    stone = TenantTombstone.objects.get(tenant_id=tenant.id)
    assert (stone.slug, stone.was_test, stone.purge_id) == (tenant.slug, True, done.id)
    assert (done.status, done.finished_at is not None) == ("done", True)
    assert done.removed["tenants"] >= 7
    assert done.removed["jobs"] == 1
    assert set(done.removed) >= {
        aspect.name for aspect in aspects.registry.of(Subject.TENANT) if aspect.remove is not None
    }


@pytest.mark.django_db
def test_trail_of_a_purge_has_a_row_for_its_start_each_store_and_its_end() -> None:
    tenant = make_tenant()
    done = purge(tenant.id)
    actions = list(
        AuditEntry.objects.filter(tenant_id=tenant.id).order_by("seq").values_list("action", flat=True)
    )
    stores = len([name for name in done.removed if name != "tenants"]) + 1
    assert actions == [
        "tenant.purge",
        *["tenant.purge_store"] * stores,
        "tenant.purged",
        "tenant.purge_receipt",
    ]


@pytest.mark.django_db
def test_slug_of_a_purged_tenant_stays_taken() -> None:
    tenant = make_tenant(slug="forever")
    purge(tenant.id)
    with pytest.raises(SlugTaken):
        provision_tenant(
            actor=actor(), company_name="x", owner_email="x@x.example", plan="free", slug="forever"
        )


@pytest.mark.django_db
def test_purge_that_is_done_runs_again_without_effect() -> None:
    tenant = make_tenant()
    done = purge(tenant.id)
    assert run_purge(actor=actor(), purge_id=done.id) == done.removed
    with pytest.raises(TenantNotFound):
        start_purge(actor=actor(), tenant_id=tenant.id)
    with pytest.raises(NotFound):
        run_purge(actor=actor(), purge_id=new_id())


@pytest.mark.django_db
def test_second_start_answers_the_purge_that_runs_and_the_tenant_is_out_of_reach() -> None:
    tenant = make_tenant()
    first = start_purge(actor=actor(), tenant_id=tenant.id)
    assert start_purge(actor=actor(), tenant_id=tenant.id).id == first.id
    assert Job.objects.filter(name="tenants.purge").count() == 1
    with pytest.raises(BeingPurged):
        override_plan(actor=actor(), tenant_id=tenant.id, terms=PlanTerms(plan="pro"))


@pytest.mark.django_db
def test_blockers_are_told_and_nothing_begins(registry: aspects.Registry) -> None:
    tenant = make_tenant()
    objection = Aspect(
        name="billing", subject=Subject.TENANT, blockers=lambda _: ["A subscription is live in Stripe."]
    )
    registry.register(objection)
    with pytest.raises(PurgeBlocked) as refused:
        start_purge(actor=actor(), tenant_id=tenant.id)
    assert refused.value.details == {"blockers": ["A subscription is live in Stripe."]}
    assert not Purge.objects.exists()
    assert Tenant.objects.get(id=tenant.id).status == "active"


@pytest.mark.django_db
def test_provisioning_tenant_can_not_be_purged() -> None:
    tenant = make_tenant(status="provisioning")
    with pytest.raises(InvalidTransition):
        start_purge(actor=actor(), tenant_id=tenant.id)
    assert not Purge.objects.exists()


@pytest.mark.django_db
def test_store_that_fails_is_done_again_and_those_before_it_are_not(registry: aspects.Registry) -> None:
    tenant = make_tenant()
    calls: list[str] = []
    broken = [True]

    def first(tenant_id: UUID, principal: Principal) -> int:
        calls.append("first")
        return 3

    def second(tenant_id: UUID, principal: Principal) -> int:
        calls.append("second")
        Workspace.objects.filter(tenant_id=tenant_id).delete()
        if broken[0]:
            raise ConnectionError("away")
        return 4

    registry.register(Aspect(name="a", subject=Subject.TENANT, remove=first, order=1))
    registry.register(Aspect(name="b", subject=Subject.TENANT, remove=second, order=2))
    started = start_purge(actor=actor(), tenant_id=tenant.id)
    with pytest.raises(ConnectionError):
        run_purge(actor=actor(), purge_id=started.id)
    assert Purge.objects.get(id=started.id).removed == {"a": 3}
    broken[0] = False
    steps: list[tuple[int, int, str]] = []
    removed = run_purge(
        actor=actor(),
        purge_id=started.id,
        progress=lambda done, total, note: steps.append((done, total, note)),
    )
    assert calls == ["first", "second", "second"]
    assert (removed["a"], removed["b"]) == (3, 4)
    assert steps[0][2] == "a"
    assert steps[-1][0] == steps[-1][1] - 1


@pytest.mark.django_db(transaction=True)
def test_what_a_store_holds_outside_of_the_database_goes_first_and_in_no_transaction(
    registry: aspects.Registry,
) -> None:
    tenant = make_tenant()
    files, is_away = {"report.pdf"}, True
    seen: list[bool] = []

    def away(tenant_id: UUID, principal: Principal) -> None:
        seen.append(connection.in_atomic_block)
        if is_away:
            raise StoreUnavailable
        files.clear()

    def rows(tenant_id: UUID, principal: Principal) -> int:
        assert not files
        return 1

    registry.register(Aspect(name="files", subject=Subject.TENANT, outside=away, remove=rows, order=1))
    started = start_purge(actor=actor(), tenant_id=tenant.id)
    with pytest.raises(StoreUnavailable):
        run_purge(actor=actor(), purge_id=started.id)
    assert Purge.objects.get(id=started.id).removed == {}
    is_away = False
    assert run_purge(actor=actor(), purge_id=started.id)["files"] == 1
    assert seen == [False, False]


@pytest.mark.django_db(transaction=True)
def test_purge_killed_in_the_middle_of_a_store_goes_on_there(
    registry: aspects.Registry, settings: Settings
) -> None:
    tenant = full_tenant()
    spaces = Workspace.objects.filter(tenant=tenant).count()
    started = start_purge(actor=actor(), tenant_id=tenant.id)
    killed = subprocess.run(
        [sys.executable, "-m", "tests.tenants.victim", str(started.id)],
        cwd=Path(__file__).resolve().parent.parent.parent,
        env=environment(OBJECT_STORE_ROOT=str(settings.OBJECT_STORE_ROOT)),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    half = Purge.objects.get(id=started.id)
    # The store that was under way is as it was; the one before it is done.
    assert (half.status, half.removed) == ("running", {"victim_first": 5})
    assert Workspace.objects.filter(tenant=tenant).count() == spaces > 0
    again: list[UUID] = []

    def first(tenant_id: UUID, principal: Principal) -> int:
        again.append(tenant_id)
        return 0

    registry.register(Aspect(name="victim_first", subject=Subject.TENANT, remove=first, order=1))
    removed = run_purge(actor=system("test"), purge_id=started.id)
    assert again == []
    assert removed["victim_first"] == 5
    assert set(traces(tenant.id)) == STAYS
    connection.close()


@pytest.mark.django_db
def test_purge_row_names_its_actor_without_personal_data() -> None:
    started = start_purge(actor=actor(), tenant_id=make_tenant().id)
    kept: dict[str, Any] = started.actor
    assert set(kept) == {"kind", "id"}
    assert started.started_at <= now()
