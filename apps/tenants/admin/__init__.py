"""Back office: tenants, and what is left of purged ones."""

from apps.tenants.admin import home
from apps.tenants.admin.purges import PurgeAdmin
from apps.tenants.admin.section import TenantAdmin

home.install()

__all__ = ["PurgeAdmin", "TenantAdmin"]
