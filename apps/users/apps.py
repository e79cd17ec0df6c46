"""People: users, memberships, staff, roles, second factors, sessions."""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from apps.core.sealing import register_sealed


class UsersConfig(AppConfig):
    name = "apps.users"
    label = "users"
    verbose_name = "Users"

    def ready(self) -> None:
        # By name: what is registered needs models, which Django loads after this module.
        import_string("apps.users.registration.install")()
        register_sealed("mfa.Authenticator", "data", "mfa", json_key="secret")
        register_sealed("mfa.Authenticator", "data", "mfa", json_key="seed")
        # An erasure looks for these traces and must not take them out of its own row.
        register_sealed("users.UserTombstone", "sealed_traces", "erasure", swept=False)
