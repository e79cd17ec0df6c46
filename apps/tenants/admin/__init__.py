"""Back office: tenants."""

from apps.tenants.admin import home
from apps.tenants.admin.section import TenantAdmin

home.install()

__all__ = ["TenantAdmin"]
