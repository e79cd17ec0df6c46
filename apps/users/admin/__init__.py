"""Back office: people of tenants, and staff."""

from apps.users.admin import home, members
from apps.users.admin.section import UserAdmin
from apps.users.admin.staff import StaffAdmin

home.install()
members.install()

__all__ = ["StaffAdmin", "UserAdmin"]
