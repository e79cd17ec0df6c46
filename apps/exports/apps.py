"""Exports: files that people ask for and fetch within a day."""

from django.apps import AppConfig
from django.utils.module_loading import import_string


class ExportsConfig(AppConfig):
    name = "apps.exports"
    label = "exports"
    verbose_name = "Exports"

    def ready(self) -> None:
        # By name: both need models, which Django loads after this module.
        import_string("apps.exports.aspects.install")()
        import_string("apps.exports.kinds.install")()
