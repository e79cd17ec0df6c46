"""Holding a tenant's row while something is decided upon it."""

from uuid import UUID

from apps.core.clock import now
from apps.core.errors import PreconditionFailed
from apps.core.ids import TENANT, public
from apps.core.write import Target
from apps.tenants.enums import PurgeStatus
from apps.tenants.errors import BeingPurged, TenantNotFound
from apps.tenants.models import Purge, Tenant


def hold(tenant_id: UUID, *, if_match: int | None = None) -> Tenant:
    """The tenant with its row locked until the write ends.

    Raises:
        TenantNotFound: no such tenant.
        PreconditionFailed: `if_match` is not its present version.
        BeingPurged: its end has begun.
    """
    tenant = (
        Tenant.objects.select_for_update(no_key=True, of=("self",))
        .select_related("plan", "plan_version")
        .filter(id=tenant_id)
        .first()
    )
    if tenant is None:
        raise TenantNotFound
    if if_match is not None and if_match != tenant.version:
        raise PreconditionFailed(details={"current": tenant.version})
    if Purge.objects.filter(tenant_id=tenant_id, status=PurgeStatus.RUNNING).exists():
        raise BeingPurged
    return tenant


def target_of(tenant_id: UUID) -> Target:
    """The target of a write on a tenant that is yet to be held."""
    return Target(type="tenant", id=public(TENANT, tenant_id), tenant_id=tenant_id)


def keep(tenant: Tenant, *fields: str) -> None:
    """Writes the changed fields of a held tenant and raises its version."""
    tenant.version += 1
    tenant.updated_at = now()
    tenant.save(update_fields=[*fields, "version", "updated_at"])
