"""Test tenants: filled with samples, purged when their time is over."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from apps.core.clock import iso, now
from apps.core.ids import new_id
from apps.core.principal import Principal
from apps.core.write import write
from apps.tenants import events, facts, sample_data
from apps.tenants.enums import WorkspaceStatus
from apps.tenants.errors import TenantInvalid
from apps.tenants.knobs import TEST_CLEANUP_DAYS
from apps.tenants.models import Tenant, Workspace
from apps.tenants.services.provisioning import provision_tenant
from apps.tenants.services.rows import target_of

LONGEST_DAYS = 90


@dataclass(frozen=True, slots=True)
class MadeTestTenant:
    """What its maker is told. The owner has no password: the sign-in page sends a link to set one."""

    tenant: Tenant
    login_url: str
    expires_at: datetime


def create_test_tenant(
    *,
    actor: Principal,
    company_name: str,
    owner_email: str,
    plan: str,
    auto_cleanup_days: int | None = None,
    reason: str = "",
) -> MadeTestTenant:
    """Makes a test tenant with workspaces, owner and sample members; it is purged after `auto_cleanup_days`
    (by default those of a knob).

    Raises:
        TenantInvalid, PlanUnknown: a field is wrong; `details` by field.
    """
    days = TEST_CLEANUP_DAYS.get() if auto_cleanup_days is None else auto_cleanup_days
    if not 1 <= days <= LONGEST_DAYS:
        raise TenantInvalid(details={"auto_cleanup_days": [f"Between 1 and {LONGEST_DAYS}."]})
    expires_at = now() + timedelta(days=days)
    tenant_id = new_id()
    with write("tenant.create_test", actor=actor, target=target_of(tenant_id), reason=reason) as w:
        tenant = provision_tenant(
            actor=actor,
            tenant_id=tenant_id,
            company_name=company_name,
            owner_email=owner_email,
            plan=plan,
            is_test=True,
            test_expires_at=expires_at,
        ).tenant
        w.note(expires_at=iso(expires_at), samples=sample_data.fill(tenant, actor))
        w.publish(events.TEST_CREATED, tenant_id=str(tenant.id))
    tenant.refresh_from_db()
    return MadeTestTenant(tenant=tenant, login_url=login_url(tenant), expires_at=expires_at)


def login_url(tenant: Tenant) -> str:
    """Where the people of a tenant sign in (settings.TENANT_LOGIN_URL)."""
    return settings.TENANT_LOGIN_URL.replace("{slug}", tenant.slug)


def make_workspaces(tenant: Tenant, actor: Principal) -> None:
    """Samples of ours: a workspace for production and one to try things in."""
    del actor
    Workspace.objects.bulk_create(
        Workspace(
            id=new_id(),
            tenant=tenant,
            slug=slug,
            display_name=name,
            environment=environment,
            status=WorkspaceStatus.ACTIVE,
            capabilities=["postgres", "storage"],
        )
        for slug, name, environment in (
            ("main", "Main", "production"),
            ("sandbox", "Sandbox", "development"),
        )
    )
    facts.refresh("workspaces", tenant.id)
