"""The operators' pages."""

from importlib import import_module

from django.apps import AppConfig, apps
from django.utils.module_loading import module_has_submodule


class BackofficeConfig(AppConfig):
    name = "apps.backoffice"
    label = "backoffice"
    verbose_name = "Back office"

    def ready(self) -> None:
        """Our apps' sections, and only ours: other packages register with Django's own site, which nobody sees."""
        import_module("apps.backoffice.jobs")
        for config in apps.get_app_configs():
            if config.name.startswith("apps.") and module_has_submodule(config.module, "admin"):
                import_module(f"{config.name}.admin")
