"""The platform itself on the surface `control` (contracts/control.md, "Platform")."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from apps.core.clock import now
from apps.core.errors import Unavailable
from apps.core.observability.health import readiness
from apps.plans.limits import CAPABILITIES
from apps.surfaces import control
from apps.surfaces.kit.actions import reads
from apps.surfaces.kit.answers import Answer
from apps.surfaces.kit.calls import Call
from apps.surfaces.kit.surface import OPEN

_ENGINES = ("rows", "documents", "events", "functions", "objects", "identity")
# What tokens come from. The engines of the data families are named by the app that brings them; null until then.
_IDENTITY = "embedded"


class Alive(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=["ok"])
    timestamp = serializers.DateTimeField()


class Component(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=["ok", "degraded", "unavailable"])
    latencyMs = serializers.FloatField(help_text="How long it took to ask.")  # noqa: N815  as the contract writes it


class Health(serializers.Serializer[Any]):
    """`components` is there for platform roles."""

    status = serializers.ChoiceField(choices=["ok", "degraded"])
    timestamp = serializers.DateTimeField()
    components = serializers.DictField(child=Component(), required=False)


class Engines(serializers.Serializer[Any]):
    """Which engine serves each family; null where none does."""

    rows = serializers.CharField(allow_null=True)
    documents = serializers.CharField(allow_null=True)
    events = serializers.CharField(allow_null=True)
    functions = serializers.CharField(allow_null=True)
    objects = serializers.CharField(allow_null=True)
    identity = serializers.CharField(allow_null=True)


class Info(serializers.Serializer[Any]):
    name = serializers.CharField()
    version = serializers.CharField()
    apiVersions = serializers.ListField(child=serializers.DateField())  # noqa: N815
    environment = serializers.CharField()
    capabilities = serializers.ListField(child=serializers.CharField())
    engines = Engines()
    documentation = serializers.URLField()


class Platform(control.ViewSet):
    """Steward itself."""

    @reads(permission=OPEN, throttle="control", answer=Alive, refusals=[])
    def alive(self, call: Call) -> Answer:
        """Whether the process answers; asks nothing of others."""
        del call
        return Answer({"status": "ok", "timestamp": now()})

    @reads(permission=OPEN, throttle="control", answer=Health, refusals=[Unavailable])
    def components(self, call: Call) -> Answer:
        """Whether Steward can serve; 503 where it can't. A platform role is told of each component."""
        found = readiness()
        if not found.ready:
            raise Unavailable(f"Steward can't serve: {', '.join(found.missing)}.")
        data: dict[str, Any] = {"status": "degraded" if found.degraded else "ok", "timestamp": now()}
        caller = call.principal
        if caller is not None and control.SURFACE.permits(caller, control.PLATFORM_READ):
            data["components"] = {
                name: {
                    "status": "ok" if said == "ok" else "unavailable",
                    "latencyMs": found.milliseconds[name],
                }
                for name, said in found.parts.items()
            }
        return Answer(data)

    @reads(permission=control.PLATFORM_READ, throttle="control", answer=Info, refusals=[])
    def info(self, call: Call) -> Answer:
        """What this installation is and has."""
        del call
        engines: dict[str, str | None] = dict.fromkeys(_ENGINES)
        return Answer(
            {
                "name": "Steward",
                "version": settings.VERSION,
                "apiVersions": list(control.API_VERSIONS),
                "environment": settings.ENVIRONMENT,
                "capabilities": list(CAPABILITIES),
                "engines": {**engines, "identity": _IDENTITY},
                "documentation": f"{settings.PUBLIC_URL}/docs/",
            }
        )
