"""Tenants: customers, their life, what they have, and their end."""

from django.apps import AppConfig
from django.utils.module_loading import import_string


class TenantsConfig(AppConfig):
    name = "apps.tenants"
    label = "tenants"
    verbose_name = "Tenants"

    def ready(self) -> None:
        # By name: what is registered needs models, which Django loads after this module.
        import_string("apps.tenants.registration.install")()
