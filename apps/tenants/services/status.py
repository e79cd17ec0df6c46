"""A tenant goes through its life: every move, and the end of a trial, under the lock of its row."""

from datetime import datetime, timedelta
from uuid import UUID

from apps.core.clock import iso, now
from apps.core.principal import Principal
from apps.core.write import Write, write
from apps.tenants import events
from apps.tenants.enums import TenantStatus
from apps.tenants.errors import InvalidTransition, NotOnTrial, TenantInvalid
from apps.tenants.knobs import CANCELLED_DAYS
from apps.tenants.lifecycle import Standing, check, reinstated
from apps.tenants.models import StatusChange, Tenant
from apps.tenants.services.keys import expire_keys
from apps.tenants.services.rows import hold, keep, target_of

_LONGEST_EXTENSION_DAYS = 365


def activate_tenant(
    *, actor: Principal, tenant_id: UUID, reason: str = "", if_match: int | None = None
) -> Tenant:
    """From provisioning or trial to active.

    Raises:
        AlreadyInStatus, InvalidTransition: the life cycle refuses.
        TenantNotFound, PreconditionFailed, BeingPurged: see `hold`.
    """
    with write("tenant.activate", actor=actor, target=target_of(tenant_id), reason=reason) as w:
        tenant = hold(tenant_id, if_match=if_match)
        if tenant.status in {TenantStatus.SUSPENDED, TenantStatus.CANCELLED}:
            raise InvalidTransition(f"A tenant that is {tenant.status} is reinstated, not activated.")
        move(w, tenant, TenantStatus.ACTIVE, actor=actor, reason=reason)
        w.publish(events.ACTIVATED, tenant_id=str(tenant.id))
    return tenant


def suspend_tenant(
    *, actor: Principal, tenant_id: UUID, reason: str = "", if_match: int | None = None
) -> Tenant:
    """Stops everything of a tenant: its tokens and sessions are void, its keys refused until it is reinstated.

    Raises:
        AlreadyInStatus, InvalidTransition: the life cycle refuses.
        TenantNotFound, PreconditionFailed, BeingPurged: see `hold`.
    """
    with write("tenant.suspend", actor=actor, target=target_of(tenant_id), reason=reason) as w:
        tenant = hold(tenant_id, if_match=if_match)
        move(w, tenant, TenantStatus.SUSPENDED, actor=actor, reason=reason)
        w.publish(events.SUSPENDED, tenant_id=str(tenant.id))
    return tenant


def reinstate_tenant(
    *, actor: Principal, tenant_id: UUID, reason: str = "", if_match: int | None = None
) -> Tenant:
    """Back to where it was suspended from, or from cancelled to active. Keys of a cancelled tenant stay expired.

    Raises:
        TrialEnded: it was suspended from a trial that has ended since.
        RetentionOver: it was cancelled too long ago.
        AlreadyInStatus, InvalidTransition: it is neither suspended nor cancelled.
        TenantNotFound, PreconditionFailed, BeingPurged: see `hold`.
    """
    with write("tenant.reinstate", actor=actor, target=target_of(tenant_id), reason=reason) as w:
        tenant = hold(tenant_id, if_match=if_match)
        move(w, tenant, reinstated(standing(tenant)), actor=actor, reason=reason)
        w.publish(events.REINSTATED, tenant_id=str(tenant.id))
    return tenant


def cancel_tenant(
    *, actor: Principal, tenant_id: UUID, reason: str = "", if_match: int | None = None
) -> Tenant:
    """Ends a tenant and keeps its data: keys expire, tokens and sessions are void.

    Raises:
        AlreadyInStatus, InvalidTransition: the life cycle refuses.
        TenantNotFound, PreconditionFailed, BeingPurged: see `hold`.
    """
    with write("tenant.cancel", actor=actor, target=target_of(tenant_id), reason=reason) as w:
        tenant = hold(tenant_id, if_match=if_match)
        cancel_held(w, tenant, actor=actor, reason=reason)
    return tenant


def cancel_held(w: Write, tenant: Tenant, *, actor: Principal, reason: str) -> None:
    """The same inside the caller's write, on a held tenant."""
    move(w, tenant, TenantStatus.CANCELLED, actor=actor, reason=reason)
    w.note(keys_expired=len(expire_keys(tenant)))
    w.publish(events.CANCELLED, tenant_id=str(tenant.id))


def extend_trial(
    *, actor: Principal, tenant_id: UUID, days: int, reason: str = "", if_match: int | None = None
) -> Tenant:
    """Moves the end of a trial: `days` from the later of now and its present end.

    Raises:
        TenantInvalid: `days` outside 1 to 365.
        NotOnTrial: the tenant is neither on trial nor suspended from one.
        TenantNotFound, PreconditionFailed, BeingPurged: see `hold`.
    """
    if not 1 <= days <= _LONGEST_EXTENSION_DAYS:
        raise TenantInvalid(details={"days": [f"Between 1 and {_LONGEST_EXTENSION_DAYS}."]})
    with write("tenant.extend_trial", actor=actor, target=target_of(tenant_id), reason=reason) as w:
        tenant = hold(tenant_id, if_match=if_match)
        if not on_trial(tenant):
            raise NotOnTrial
        before = tenant.trial_ends_at
        tenant.trial_ends_at = max(before or now(), now()) + timedelta(days=days)
        keep(tenant, "trial_ends_at")
        w.changed(
            before={"trial_ends_at": _moment(before)}, after={"trial_ends_at": _moment(tenant.trial_ends_at)}
        )
        w.publish(events.TRIAL_EXTENDED, tenant_id=str(tenant.id))
    return tenant


def on_trial(tenant: Tenant) -> bool:
    """True on trial, and while suspended from it."""
    return TenantStatus.TRIAL in {tenant.status, tenant.suspended_from}


def standing(tenant: Tenant) -> Standing:
    """What the life cycle asks about a tenant."""
    return Standing(
        status=TenantStatus(tenant.status),
        suspended_from=tenant.suspended_from,
        trial_ends_at=tenant.trial_ends_at,
        cancelled_at=tenant.cancelled_at,
    )


def move(w: Write, tenant: Tenant, to: TenantStatus, *, actor: Principal, reason: str) -> None:
    """Moves a held tenant, keeps its history, and ends its tokens where it goes out of service.

    Raises:
        AlreadyInStatus, TrialEnded, RetentionOver, InvalidTransition: see apps.tenants.lifecycle.
    """
    at = now()
    here = TenantStatus(tenant.status)
    check(standing(tenant), to, at=at, retention=timedelta(days=CANCELLED_DAYS.get()))
    tenant.status = to
    tenant.suspended_from = here if to == TenantStatus.SUSPENDED else ""
    tenant.suspended_at = at if to == TenantStatus.SUSPENDED else None
    tenant.cancelled_at = at if to == TenantStatus.CANCELLED else None
    if to == TenantStatus.ACTIVE and tenant.activated_at is None:
        tenant.activated_at = at
    if to in {TenantStatus.SUSPENDED, TenantStatus.CANCELLED}:
        tenant.tokens_valid_after = at
    keep(
        tenant,
        "status",
        "suspended_from",
        "suspended_at",
        "cancelled_at",
        "activated_at",
        "tokens_valid_after",
    )
    StatusChange.objects.create(
        tenant=tenant, from_status=here, to_status=to, actor_id=actor.id, reason=reason, at=at
    )
    w.changed(before={"status": here.value}, after={"status": to.value})
    w.touch(events.ACCESS_TOPIC, events.ATTRIBUTES_TOPIC)


def _moment(value: datetime | None) -> str | None:
    return iso(value) if value else None
