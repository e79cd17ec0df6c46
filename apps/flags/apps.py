"""Feature flags: what is on for a tenant, and why."""

from django.apps import AppConfig
from django.utils.module_loading import import_string


class FlagsConfig(AppConfig):
    name = "apps.flags"
    label = "flags"
    verbose_name = "Feature flags"

    def ready(self) -> None:
        # By name: what is registered needs models, which Django loads after this module.
        import_string("apps.flags.aspects.install")()
        import_string("apps.flags.services.approved.install")()
