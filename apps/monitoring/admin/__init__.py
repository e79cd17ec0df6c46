"""Back office: the page of health that refreshes itself, a page for each source, a line of home."""

from apps.monitoring.admin import home
from apps.monitoring.admin.section import HealthAdmin

__all__ = ["HealthAdmin", "home"]
