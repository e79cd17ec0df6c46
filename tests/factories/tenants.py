"""Plans and tenants."""

import itertools
from typing import Any

from apps.plans.models import Plan, PlanVersion
from apps.tenants.enums import TenantStatus
from apps.tenants.models import Tenant, TenantFacts, Workspace

_numbers = itertools.count(1)


def get_plan(slug: str = "starter") -> Plan:
    """The seeded plan of that slug, or a new one with one version and a few limits."""
    plan, made = Plan.objects.get_or_create(
        slug=slug,
        defaults={"name": slug.replace("_", " ").title(), "price_monthly": 2900, "price_yearly": 29000},
    )
    if made:
        PlanVersion.objects.create(
            plan=plan, version=1, limits={"max_users": 10}, features={}, capabilities=[]
        )
    return plan


def make_tenant(plan: str | Plan = "starter", **fields: Any) -> Tenant:
    """An active tenant with its facts (all null), unless fields say otherwise."""
    number = next(_numbers)
    chosen = plan if isinstance(plan, Plan) else get_plan(plan)
    version = chosen.versions.get(version=chosen.version)
    values: dict[str, Any] = {
        "slug": f"acme-{number}",
        "company_name": f"Acme {number}",
        "owner_email": f"owner{number}@acme-{number}.example",
        "status": TenantStatus.ACTIVE,
        "effective_plan": chosen,
        "effective_version": chosen.version,
        **fields,
    }
    tenant = Tenant.objects.create(plan=chosen, plan_version=version, **values)
    TenantFacts.objects.create(tenant=tenant)
    tenant.refresh_from_db()
    return tenant


def make_facts(tenant: Tenant, **facts: Any) -> TenantFacts:
    """Sets facts as their owners would."""
    TenantFacts.objects.update_or_create(tenant=tenant, defaults=facts)
    return TenantFacts.objects.get(tenant=tenant)


def make_workspace(tenant: Tenant, **fields: Any) -> Workspace:
    number = next(_numbers)
    values = {"slug": f"space-{number}", "display_name": f"Space {number}", **fields}
    return Workspace.objects.create(tenant=tenant, **values)
