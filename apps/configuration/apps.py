"""Configuration: what operators set, for the platform and for tenants, in force everywhere within 2 s."""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from apps.core import knobs
from apps.core.sealing import register_sealed


class ConfigurationConfig(AppConfig):
    name = "apps.configuration"
    label = "configuration"
    verbose_name = "Configuration"

    def ready(self) -> None:
        # By name: both need models, which Django loads after this module.
        knobs.provide(import_string("apps.configuration.snapshot.store"))
        import_string("apps.configuration.aspects.install")()
        register_sealed("configuration.ConfigValue", "sealed", "configuration")
        register_sealed("configuration.ConfigChange", "old_sealed", "configuration")
        register_sealed("configuration.ConfigChange", "new_sealed", "configuration")
