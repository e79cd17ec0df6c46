"""Tables of tenants."""

from apps.tenants.models.facts import TenantFacts
from apps.tenants.models.overrides import BillingOverride, PlanOverride
from apps.tenants.models.purge import PURGE, Purge, TenantTombstone
from apps.tenants.models.tenant import StatusChange, Tenant, TenantKey, Workspace

__all__ = [
    "PURGE",
    "BillingOverride",
    "PlanOverride",
    "Purge",
    "StatusChange",
    "Tenant",
    "TenantFacts",
    "TenantKey",
    "TenantTombstone",
    "Workspace",
]
