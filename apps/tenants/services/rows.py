"""Holding a tenant's row while something is decided upon it."""

from functools import cache
from uuid import UUID

from apps.core.clock import now
from apps.core.errors import PreconditionFailed
from apps.core.ids import TENANT, public
from apps.core.statements import Columns, Statement, Update
from apps.core.write import Target
from apps.plans.models import Plan, PlanVersion
from apps.tenants.enums import PurgeStatus
from apps.tenants.errors import BeingPurged, TenantNotFound
from apps.tenants.models import Tenant

_WITH_PLAN = Columns(t=Tenant, p=Plan, v=PlanVersion)
_LOCKED = Statement(
    "SELECT {columns} FROM tenants_tenant t JOIN plans_plan p ON p.id = t.plan_id "
    "JOIN plans_plan_version v ON v.id = t.plan_version_id WHERE t.id = %s FOR NO KEY UPDATE OF t",
    _WITH_PLAN,
)
_PURGES = Statement("SELECT 1 FROM tenants_purge WHERE tenant_id = %s AND status = %s")


def hold(tenant_id: UUID, *, if_match: int | None = None) -> Tenant:
    """The tenant with its row locked until the write ends.

    Raises:
        TenantNotFound: no such tenant.
        PreconditionFailed: `if_match` is not its present version.
        BeingPurged: its end has begun.
    """
    row = _LOCKED.row(tenant_id)
    if row is None:
        raise TenantNotFound
    tenant: Tenant
    tenant, tenant.plan, tenant.plan_version = _WITH_PLAN.read(row)
    if if_match is not None and if_match != tenant.version:
        raise PreconditionFailed(details={"current": tenant.version})
    # A statement of its own: one that waits for the lock does not see what was committed meanwhile.
    if _PURGES.rows(tenant_id, PurgeStatus.RUNNING.value):
        raise BeingPurged
    return tenant


def target_of(tenant_id: UUID) -> Target:
    """The target of a write on a tenant that is yet to be held."""
    return Target(type="tenant", id=public(TENANT, tenant_id), tenant_id=tenant_id)


def keep(tenant: Tenant, *fields: str) -> None:
    """Writes the changed fields of a held tenant and raises its version."""
    tenant.version += 1
    tenant.updated_at = now()
    _kept(fields).keep(tenant)


@cache
def _kept(fields: tuple[str, ...]) -> Update:
    return Update(Tenant, *fields, "version", "updated_at")
