"""What this app tells about a tenant, and what it removes of one."""

from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

from django.db.models import Count

from apps.core.aspects import Aspect, Subject
from apps.core.clock import iso
from apps.core.models import Job
from apps.core.principal import Principal
from apps.tenants.enums import WorkspaceStatus
from apps.tenants.models import (
    BillingOverride,
    PlanOverride,
    StatusChange,
    Tenant,
    TenantFacts,
    TenantKey,
    Workspace,
)
from apps.tenants.services.purging import OWN_STORE

# Removed in this order; the tenant's row goes with the tombstone.
_PARTS = (Workspace, TenantKey, PlanOverride, BillingOverride, StatusChange, TenantFacts)


def count_workspaces(tenant_ids: Collection[UUID]) -> dict[UUID, int]:
    """Workspaces that are not deactivated, by tenant."""
    rows = (
        Workspace.objects.filter(tenant_id__in=tenant_ids)
        .exclude(status=WorkspaceStatus.DEACTIVATED)
        .order_by()
        .values_list("tenant_id")
        .annotate(count=Count("id"))
    )
    return dict(rows)


def _summary(tenant_id: UUID) -> dict[str, Any]:
    return {
        "workspaces": count_workspaces([tenant_id]).get(tenant_id, 0),
        "keys_in_force": TenantKey.objects.filter(tenant_id=tenant_id, expired_at__isnull=True).count(),
    }


def _export(tenant_id: UUID) -> Iterator[dict[str, Any]]:
    tenant = Tenant.objects.select_related("effective_plan").filter(id=tenant_id).first()
    if tenant is None:
        return
    yield {
        "kind": "tenant",
        "id": tenant.public_id,
        "slug": tenant.slug,
        "company_name": tenant.company_name,
        "owner_email": tenant.owner_email,
        "plan": tenant.effective_plan.slug,
        "status": tenant.status,
        "country": tenant.country,
        "tags": tenant.tags,
        "trial_ends_at": iso(tenant.trial_ends_at) if tenant.trial_ends_at else None,
        "created_at": iso(tenant.created_at),
    }
    for space in Workspace.objects.filter(tenant_id=tenant_id).order_by("created_at", "id"):
        yield {
            "kind": "workspace",
            "id": space.public_id,
            "slug": space.slug,
            "display_name": space.display_name,
            "environment": space.environment,
            "status": space.status,
            "capabilities": space.capabilities,
            "created_at": iso(space.created_at),
        }
    for key in TenantKey.objects.filter(tenant_id=tenant_id).order_by("created_at", "id"):
        yield {
            "kind": "key",
            "key": key.masked,
            "created_at": iso(key.created_at),
            "expired_at": iso(key.expired_at) if key.expired_at else None,
        }
    yield from _overrides(tenant_id)
    yield from _facts(tenant_id)
    for change in StatusChange.objects.filter(tenant_id=tenant_id).order_by("at", "id"):
        yield {
            "kind": "status_change",
            "at": iso(change.at),
            "from": change.from_status,
            "to": change.to_status,
            "reason": change.reason,
        }


def _overrides(tenant_id: UUID) -> Iterator[dict[str, Any]]:
    for plan in PlanOverride.objects.filter(tenant_id=tenant_id).select_related("plan").order_by("id"):
        yield {
            "kind": "plan_override",
            "plan": plan.plan.slug if plan.plan else None,
            "price_monthly": plan.price_monthly,
            "limits": plan.limits,
            **_terms(plan),
        }
    for billing in BillingOverride.objects.filter(tenant_id=tenant_id).order_by("id"):
        yield {
            "kind": "billing_override",
            "type": billing.type,
            "trial_end_date": billing.trial_end_date.isoformat() if billing.trial_end_date else None,
            "cycle": billing.cycle,
            "method": billing.method,
            **_terms(billing),
        }


def _facts(tenant_id: UUID) -> Iterator[dict[str, Any]]:
    for facts in TenantFacts.objects.filter(tenant_id=tenant_id):
        yield {
            "kind": "facts",
            "members": facts.members,
            "workspaces": facts.workspaces,
            "mrr": facts.mrr,
            "currency": facts.currency,
            "subscription": facts.subscription,
            "usage": facts.usage,
        }


def _terms(override: PlanOverride | BillingOverride) -> dict[str, Any]:
    return {
        "reason": override.reason,
        "effective_at": iso(override.effective_at),
        "ends_at": iso(override.ends_at) if override.ends_at else None,
        "lifted_at": iso(override.lifted_at) if override.lifted_at else None,
    }


def _export_jobs(tenant_id: UUID) -> Iterator[dict[str, Any]]:
    for row in Job.objects.filter(tenant_id=tenant_id).order_by("id").iterator(500):
        yield {"name": row.name, "status": row.status, "created_at": iso(row.created_at)}


def _remove(tenant_id: UUID, actor: Principal) -> int:
    del actor
    return sum(part.objects.filter(tenant_id=tenant_id).delete()[0] for part in _PARTS)


def _remove_jobs(tenant_id: UUID, actor: Principal) -> int:
    del actor
    return Job.objects.filter(tenant_id=tenant_id).delete()[0]


OWN = Aspect(
    name=OWN_STORE,
    subject=Subject.TENANT,
    models=[
        "tenants.Tenant",
        "tenants.Workspace",
        "tenants.TenantKey",
        "tenants.PlanOverride",
        "tenants.BillingOverride",
        "tenants.StatusChange",
        "tenants.TenantFacts",
        # These two stay: what is left of a purged tenant.
        "tenants.Purge",
        "tenants.TenantTombstone",
    ],
    summary=_summary,
    export=_export,
    remove=_remove,
    order=1000,
)

# The core keeps jobs of tenants but knows no domain; the tenant's floor speaks for them.
JOBS = Aspect(
    name="jobs",
    subject=Subject.TENANT,
    models=["core.Job"],
    export=_export_jobs,
    remove=_remove_jobs,
    order=900,
)
