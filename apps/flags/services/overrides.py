"""What single tenants are given against the rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from apps.approvals.errors import ApprovalRequired
from apps.core.clock import now
from apps.core.ids import TENANT, public
from apps.core.principal import Principal
from apps.core.write import Write, write
from apps.flags.enums import ChangeKind
from apps.flags.errors import FlagInvalid, FlagNeedsSecondPerson, FlagsUnknown, OverrideNotFound
from apps.flags.models import Flag, FlagChange, TenantOverride, audit_target
from apps.flags.services.common import held_flag, record, tell
from apps.tenants.directory import hold as tenant_held
from apps.tenants.errors import TenantNotFound

# How long an override that ended still stands on the tenant's page.
KEPT_EXPIRED = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class OverrideFields:
    """Either `enabled` or a `variation`. Without an expiry it stands until it is removed."""

    enabled: bool | None = None
    variation: str | None = None
    reason: str = ""
    expires_at: datetime | None = None


def set_override(*, actor: Principal, key: str, tenant_id: UUID, fields: OverrideFields) -> TenantOverride:
    """Gives one tenant a variation whatever the rules say; replaces the override that stands. The same once more is no
    change: nobody loads flags anew for it.

    Raises:
        FlagNotFound, FlagArchived, TenantNotFound, ApprovalRequired
        FlagInvalid: neither `enabled` nor a known variation, both of them, or an expiry that is over.
    """
    target = audit_target(key[:128], tenant_id)
    with write("flag.set_override", actor=actor, target=target, reason=fields.reason) as w:
        flag = held_flag(key, actor=actor)
        if not tenant_held(tenant_id):
            raise TenantNotFound
        enabled, variation = _checked(flag, fields)
        known = TenantOverride.objects.select_for_update().filter(flag=flag, tenant_id=tenant_id).first()
        row = known or TenantOverride(flag=flag, tenant_id=tenant_id)
        before, reason = (known.told(), known.reason) if known is not None else (None, "")
        row.enabled, row.variation = enabled, variation
        row.reason, row.expires_at = fields.reason[:500], fields.expires_at
        if (row.told(), row.reason) == (before, reason):
            w.note(tenant=public(TENANT, tenant_id), unchanged=True)
            return row
        row.set_by, row.updated_at = actor.id[:200], now()
        row.save()
        _record(w, flag, ChangeKind.OVERRIDE_SET, actor, row, before=before, after=row.told())
    return row


def set_overrides_of_tenant(
    *, actor: Principal, tenant_id: UUID, enabled: Mapping[str, bool], reason: str = ""
) -> datetime:
    """Sets several flags for one tenant: all or none. Answers when.

    Raises:
        FlagsUnknown: names every flag that there is not.
        FlagNeedsSecondPerson: names the first one that does.
        TenantNotFound, FlagArchived
    """
    target = audit_target(",".join(sorted(enabled))[:200], tenant_id)
    with write("flag.set_override", actor=actor, target=target, reason=reason):
        known = set(Flag.objects.filter(key__in=list(enabled)).values_list("key", flat=True))
        unknown = sorted(set(enabled) - known)
        if unknown:
            raise FlagsUnknown(unknown)
        # In sorted order, so that two such writes never wait for each other.
        for key in sorted(enabled):
            fields = OverrideFields(enabled=enabled[key], reason=reason)
            try:
                set_override(actor=actor, key=key, tenant_id=tenant_id, fields=fields)
            except ApprovalRequired:
                raise FlagNeedsSecondPerson(key) from None
    return now()


def remove_override(*, actor: Principal, key: str, tenant_id: UUID, reason: str = "") -> None:
    """The tenant is again what the rules say. On an archived flag too: it changes nothing there.

    Raises:
        FlagNotFound, OverrideNotFound, ApprovalRequired
    """
    target = audit_target(key[:128], tenant_id)
    with write("flag.remove_override", actor=actor, target=target, reason=reason) as w:
        flag = held_flag(key, actor=actor, archived_too=True)
        row = TenantOverride.objects.select_for_update().filter(flag=flag, tenant_id=tenant_id).first()
        if row is None:
            raise OverrideNotFound
        row.delete()
        _record(w, flag, ChangeKind.OVERRIDE_REMOVED, actor, row, before=row.told(), after=None)


def remove_expired_overrides(*, actor: Principal) -> int:
    """Removes overrides that ended long ago; they have counted no longer since. Answers how many."""
    due = TenantOverride.objects.filter(expires_at__lte=now() - KEPT_EXPIRED)
    if not due.exists():
        return 0
    with write("flag.remove_expired_overrides", actor=actor, target=audit_target("*")) as w:
        gone = due.delete()[0]
        w.note(rows=gone)
        tell(w)
    return gone


def remove_tenant(tenant_id: UUID, actor: Principal) -> int:
    """Removes a tenant's overrides, and their lines in the histories (purge). Safe to run twice."""
    with write("flag.remove_tenant", actor=actor, target=audit_target("*", tenant_id)) as w:
        gone = TenantOverride.objects.filter(tenant_id=tenant_id).delete()[0]
        gone += FlagChange.objects.filter(tenant_id=tenant_id).delete()[0]
        w.note(rows=gone)
        tell(w)
    return gone


def _checked(flag: Flag, fields: OverrideFields) -> tuple[bool, str]:
    if (fields.enabled is None) == (fields.variation is None):
        raise FlagInvalid("enabled", "Either enabled or a variation is expected.")
    if fields.expires_at is not None and fields.expires_at <= now():
        raise FlagInvalid("expiresAt", "The expiry must lie ahead.")
    if fields.variation is None:
        return bool(fields.enabled), ""
    if all(each["key"] != fields.variation for each in flag.variations):
        raise FlagInvalid("variation", f"{flag.key} has no variation {fields.variation[:64]!r}.")
    return fields.variation != flag.off_variation, fields.variation


def _record(
    w: Write,
    flag: Flag,
    kind: ChangeKind,
    actor: Principal,
    row: TenantOverride,
    *,
    before: dict[str, object] | None,
    after: dict[str, object] | None,
) -> None:
    w.note(tenant=public(TENANT, row.tenant_id))
    if flag.same_for_all is not None:
        flag.same_for_all = None
        flag.save(update_fields=["same_for_all"])
    record(w, flag, kind, actor=actor, before=before, after=after, tenant_id=row.tenant_id)
