"""The core app: rooms that know no domain."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules

from apps.core.sealing.registry import register_sealed


class CoreConfig(AppConfig):
    name = "apps.core"
    label = "core"
    verbose_name = "Core"

    def ready(self) -> None:
        """Every app's knobs and jobs are known in every process: web enqueues by name, Celery and RQ run."""
        autodiscover_modules("knobs", "tasks")
        register_sealed("core.IdempotentResponse", "body", "idempotent-response")
        register_sealed("core.Job", "args", "mail", json_key="sealed")
