"""The chained trail."""

from django.apps import AppConfig
from django.utils.module_loading import import_string


class AuditConfig(AppConfig):
    name = "apps.audit"
    label = "audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        # By name: aspects need models, which Django loads after this module.
        import_string("apps.audit.aspects.install")()
