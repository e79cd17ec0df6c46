"""Back office: the catalogue by section, a page for each key, its dialogs, a tenant's own values, a line of home."""

from apps.configuration.admin import home
from apps.configuration.admin.section import ConfigurationAdmin

__all__ = ["ConfigurationAdmin", "home"]
