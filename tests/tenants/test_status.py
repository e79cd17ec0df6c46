"""A tenant goes through its life: what each move leaves behind."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from apps.audit.models import AuditDetail, AuditEntry
from apps.core import events as bus
from apps.core.clock import now
from apps.core.errors import PreconditionFailed
from apps.core.ids import new_id
from apps.core.live import revision
from apps.tenants import events
from apps.tenants.errors import (
    AlreadyInStatus,
    BeingPurged,
    InvalidTransition,
    NotOnTrial,
    RetentionOver,
    TenantInvalid,
    TenantNotFound,
    TrialEnded,
)
from apps.tenants.models import Purge, StatusChange, Tenant, TenantKey
from apps.tenants.services import (
    activate_tenant,
    cancel_tenant,
    extend_trial,
    provision_tenant,
    reinstate_tenant,
    suspend_tenant,
)
from tests.factories import actor, make_tenant


def trial() -> Tenant:
    return make_tenant(status="trial", trial_ends_at=now() + timedelta(days=5))


@pytest.mark.django_db
def test_suspension_voids_tokens_keeps_history_and_is_told() -> None:
    tenant = make_tenant()
    before, moment = revision(events.ACCESS_TOPIC), now()
    suspended = suspend_tenant(actor=actor(), tenant_id=tenant.id, reason="unpaid")
    assert (suspended.status, suspended.suspended_from, suspended.version) == ("suspended", "active", 2)
    assert suspended.tokens_valid_after is not None
    assert suspended.tokens_valid_after >= moment
    change = StatusChange.objects.get(tenant=tenant)
    assert (change.from_status, change.to_status, change.reason) == ("active", "suspended", "unpaid")
    assert revision(events.ACCESS_TOPIC) == before + 1
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.outcome, entry.tenant_id) == ("tenant.suspend", "success", tenant.id)
    assert "unpaid" in AuditDetail.objects.get(entry=entry, part="subject").body


@pytest.mark.django_db
def test_suspension_is_published_with_the_tenants_id(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, dict[str, object]]] = []

    def listen(event: str, payload: dict[str, object], *, event_id: str) -> list[object]:
        told.append((event, payload))
        return []

    monkeypatch.setattr(bus, "orders_for", listen)
    tenant = make_tenant()
    suspend_tenant(actor=actor(), tenant_id=tenant.id)
    assert told == [(events.SUSPENDED, {"tenant_id": str(tenant.id)})]


@pytest.mark.django_db
def test_second_suspension_is_refused_and_changes_nothing() -> None:
    tenant = make_tenant()
    suspend_tenant(actor=actor(), tenant_id=tenant.id)
    with pytest.raises(AlreadyInStatus):
        suspend_tenant(actor=actor(), tenant_id=tenant.id)
    assert StatusChange.objects.count() == 1
    assert AuditEntry.objects.count() == 1
    assert Tenant.objects.get(id=tenant.id).version == 2


@pytest.mark.django_db
def test_reinstated_tenant_is_where_it_was() -> None:
    for tenant, status in ((make_tenant(), "active"), (trial(), "trial")):
        suspend_tenant(actor=actor(), tenant_id=tenant.id)
        back = reinstate_tenant(actor=actor(), tenant_id=tenant.id, reason="paid")
        assert (back.status, back.suspended_from, back.suspended_at) == (status, "", None)


@pytest.mark.django_db
def test_trial_that_ended_while_suspended_is_extended_before_it_comes_back() -> None:
    tenant = trial()
    suspend_tenant(actor=actor(), tenant_id=tenant.id)
    Tenant.objects.filter(id=tenant.id).update(trial_ends_at=now() - timedelta(days=1))
    with pytest.raises(TrialEnded):
        reinstate_tenant(actor=actor(), tenant_id=tenant.id)
    extend_trial(actor=actor(), tenant_id=tenant.id, days=7)
    assert reinstate_tenant(actor=actor(), tenant_id=tenant.id).status == "trial"


@pytest.mark.django_db
def test_activation_is_for_trials_alone() -> None:
    tenant = trial()
    active = activate_tenant(actor=actor(), tenant_id=tenant.id)
    assert active.status == "active"
    assert active.activated_at is not None
    with pytest.raises(AlreadyInStatus):
        activate_tenant(actor=actor(), tenant_id=tenant.id)
    suspend_tenant(actor=actor(), tenant_id=tenant.id)
    with pytest.raises(InvalidTransition):
        activate_tenant(actor=actor(), tenant_id=tenant.id)


@pytest.mark.django_db
def test_cancelling_expires_the_keys_and_keeps_the_rest() -> None:
    tenant = provision_tenant(
        actor=actor(), company_name="Acme", owner_email="a@acme.example", plan="starter"
    ).tenant
    cancelled = cancel_tenant(actor=actor(), tenant_id=tenant.id, reason="leaves")
    assert cancelled.status == "cancelled"
    assert cancelled.cancelled_at is not None
    assert cancelled.tokens_valid_after is not None
    assert not TenantKey.objects.filter(tenant=tenant, expired_at__isnull=True).exists()
    back = reinstate_tenant(actor=actor(), tenant_id=tenant.id)
    assert (back.status, back.cancelled_at) == ("active", None)


@pytest.mark.django_db
def test_cancelled_long_ago_does_not_come_back() -> None:
    tenant = make_tenant(status="cancelled", cancelled_at=now() - timedelta(days=91))
    with pytest.raises(RetentionOver):
        reinstate_tenant(actor=actor(), tenant_id=tenant.id)


@pytest.mark.django_db
@pytest.mark.parametrize(("left", "expected"), [(5, 15), (-5, 10)])
def test_extension_counts_from_the_later_of_now_and_the_end(left: int, expected: int) -> None:
    tenant = make_tenant(status="trial", trial_ends_at=now() + timedelta(days=left))
    extended = extend_trial(actor=actor(), tenant_id=tenant.id, days=10)
    assert extended.trial_ends_at is not None
    rest = extended.trial_ends_at - now()
    assert timedelta(days=expected) - timedelta(minutes=1) < rest <= timedelta(days=expected)


@pytest.mark.django_db
def test_extension_of_what_is_no_trial_or_out_of_bounds_is_refused() -> None:
    with pytest.raises(NotOnTrial):
        extend_trial(actor=actor(), tenant_id=make_tenant().id, days=10)
    for days in (0, 366):
        with pytest.raises(TenantInvalid):
            extend_trial(actor=actor(), tenant_id=trial().id, days=days)


@pytest.mark.django_db
@pytest.mark.parametrize("service", [suspend_tenant, reinstate_tenant, cancel_tenant, activate_tenant])
def test_every_move_checks_version_existence_and_purge(service: Callable[..., Tenant]) -> None:
    tenant = make_tenant()
    with pytest.raises(PreconditionFailed) as refused:
        service(actor=actor(), tenant_id=tenant.id, if_match=7)
    assert refused.value.details == {"current": 1}
    with pytest.raises(TenantNotFound):
        service(actor=actor(), tenant_id=new_id())
    Purge.objects.create(tenant_id=tenant.id, slug=tenant.slug)
    with pytest.raises(BeingPurged):
        service(actor=actor(), tenant_id=tenant.id)
    assert not AuditEntry.objects.exists()
