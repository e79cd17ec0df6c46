"""Tokens, keys, and who stands behind them."""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from apps.core.sealing import register_sealed


class IdentityConfig(AppConfig):
    name = "apps.identity"
    label = "identity"
    verbose_name = "Identity"

    def ready(self) -> None:
        # By name: the aspects need models, which Django loads after this module.
        import_string("apps.identity.aspects.install")()
        register_sealed("identity.SigningKey", "sealed_private", "identity.signing-key")
