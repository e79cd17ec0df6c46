"""Keys of tenants: issued, rotated, expired. The clear key leaves once and is stored nowhere."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from apps.core.clock import now
from apps.core.ids import new_id
from apps.core.principal import Principal
from apps.core.write import write
from apps.tenants import events, keys
from apps.tenants.errors import KeyNotFound
from apps.tenants.models import Tenant, TenantKey
from apps.tenants.services.rows import hold, keep, target_of


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key: `clear` is shown this once."""

    tenant: Tenant
    key: TenantKey
    clear: str


def issue_key(tenant: Tenant) -> str:
    """Makes a key inside the caller's write and answers it in clear."""
    clear = keys.generate()
    _store(tenant, clear)
    return clear


def _store(tenant: Tenant, clear: str) -> TenantKey:
    return TenantKey.objects.create(
        id=new_id(),
        tenant=tenant,
        prefix=clear[: keys.PREFIX],
        suffix=clear[-keys.SUFFIX :],
        digest=keys.digest(clear, pepper=settings.KEY_PEPPER),
        created_at=now(),
    )


def rotate_key(
    *, actor: Principal, tenant_id: UUID, reason: str = "", if_match: int | None = None
) -> IssuedKey:
    """Ends every key of the tenant at once and issues a new one (contracts/automation.md, "API keys").

    Raises:
        TenantNotFound, PreconditionFailed, BeingPurged: see `hold`.
    """
    with write("tenant.rotate_key", actor=actor, target=target_of(tenant_id), reason=reason) as w:
        tenant = hold(tenant_id, if_match=if_match)
        ended = expire_keys(tenant)
        clear = keys.generate()
        key = _store(tenant, clear)
        keep(tenant)
        w.changed(before={"keys": ended}, after={"keys": [key.masked]})
        w.publish(events.KEY_ROTATED, tenant_id=str(tenant.id))
        w.touch(events.ACCESS_TOPIC)
    return IssuedKey(tenant=tenant, key=key, clear=clear)


def expire_key(*, actor: Principal, tenant_id: UUID, reason: str = "", if_match: int | None = None) -> Tenant:
    """Ends every key of the tenant.

    Raises:
        KeyNotFound: none is in force.
        TenantNotFound, PreconditionFailed, BeingPurged: see `hold`.
    """
    with write("tenant.expire_key", actor=actor, target=target_of(tenant_id), reason=reason) as w:
        tenant = hold(tenant_id, if_match=if_match)
        ended = expire_keys(tenant)
        if not ended:
            raise KeyNotFound
        keep(tenant)
        w.changed(before={"keys": ended}, after={"keys": []})
        w.publish(events.KEY_EXPIRED, tenant_id=str(tenant.id))
        w.touch(events.ACCESS_TOPIC)
    return tenant


def expire_keys(tenant: Tenant) -> list[str]:
    """Ends every key of a held tenant inside the caller's write; the ended ones, masked."""
    standing = list(TenantKey.objects.select_for_update().filter(tenant=tenant, expired_at__isnull=True))
    TenantKey.objects.filter(id__in=[key.id for key in standing]).update(expired_at=now())
    return [key.masked for key in standing]
