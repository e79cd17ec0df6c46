"""Back office: the catalogue by section, a page for each key, its dialogs, and a tenant's own values."""

from apps.configuration.admin.section import ConfigurationAdmin

__all__ = ["ConfigurationAdmin"]
