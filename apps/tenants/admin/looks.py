"""How tenants look: statuses in the platform's words with their colours, plans, money."""

from apps.backoffice import cells
from apps.core.clock import now
from apps.tenants import lifecycle
from apps.tenants.enums import TenantStatus
from apps.tenants.models import Tenant

SURFACE = "platform"
# contracts/backoffice.md, "Tenants": paying green, trial blue, churned grey.
TONES: dict[str, str] = {"active": "green", "trial": "blue", "suspended": "red", "churned": "grey"}


def word(status: str) -> str:
    """The status as the platform surface says it."""
    return lifecycle.word(SURFACE, status)


def status(tenant: Tenant) -> tuple[str, str]:
    """`(text, tone)`. A tenant that is still being made says so: it is no trial to a person who looks for it."""
    if tenant.status == TenantStatus.PROVISIONING:
        return "provisioning", "violet"
    return word(tenant.status), TONES[word(tenant.status)]


def badges(tenant: Tenant) -> list[tuple[str, str]]:
    """The status, and what else a reader must know first."""
    found = [status(tenant)]
    if tenant.is_test:
        found.append(("test", "violet"))
    return found


def until(tenant: Tenant) -> str:
    """What ends soon, in words; empty where nothing does."""
    if tenant.status == TenantStatus.TRIAL and tenant.trial_ends_at:
        over = tenant.trial_ends_at <= now()
        span = cells.distance(tenant.trial_ends_at - now())
        return f"trial ended {span} ago" if over else f"trial ends in {span}"
    if tenant.is_test and tenant.test_expires_at:
        return f"removed in {cells.distance(tenant.test_expires_at - now())}"
    return ""
