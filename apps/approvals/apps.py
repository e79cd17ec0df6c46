"""Approvals: what needs a second person."""

from django.apps import AppConfig
from django.utils.module_loading import import_string


class ApprovalsConfig(AppConfig):
    name = "apps.approvals"
    label = "approvals"
    verbose_name = "Approvals"

    def ready(self) -> None:
        # By name: the aspects need models, which Django loads after this module.
        import_string("apps.approvals.aspects.install")()
