"""Platform health on the surface `service` (contracts/service.md, sections 4 and 5)."""

from typing import Any

from apps.monitoring import cache, services
from apps.monitoring.enums import Overall, SourceStatus
from apps.monitoring.models import (
    LONGEST_INTERVAL,
    LONGEST_TIMEOUT,
    LONGEST_URL,
    SERVICE_ID,
    SHORTEST_INTERVAL,
    HealthSource,
)
from apps.surfaces import service
from apps.surfaces.internal import INTERNAL
from apps.surfaces.kit.actions import changes, reads
from apps.surfaces.kit.answers import Answer
from apps.surfaces.kit.calls import Call
from apps.surfaces.kit.fields import Flag, Pattern, Text, Whole
from apps.surfaces.kit.inputs import Body

_AGGREGATE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "overall": {"type": "string", "enum": Overall.values},
        "services": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "serviceId": {"type": "string"},
                    "status": {"type": "string", "enum": SourceStatus.values},
                    "lastChecked": {"type": ["string", "null"], "format": "date-time"},
                    "latencyMs": {"type": ["integer", "null"]},
                    "message": {"type": "string"},
                },
                "required": ["serviceId", "status", "lastChecked", "latencyMs"],
                "additionalProperties": False,
            },
        },
        "cachedAt": {"type": "string", "format": "date-time"},
    },
    "required": ["overall", "services", "cachedAt"],
    "additionalProperties": False,
}
_SOURCE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "serviceId": {"type": "string"},
        "url": {"type": "string"},
        "intervalSeconds": {"type": "integer"},
        "timeoutSeconds": {"type": "integer"},
        "critical": {"type": "boolean"},
        "status": {"type": "string", "enum": SourceStatus.values},
    },
    "required": ["serviceId", "url", "intervalSeconds", "timeoutSeconds", "critical", "status"],
    "additionalProperties": False,
}


class SourceBody(Body):
    """A service and where its health is asked."""

    serviceId = Pattern(SERVICE_ID, max_length=64)  # noqa: N815  as the contract writes it
    url = Text(max_length=LONGEST_URL, help_text="http:// or https://; not a metadata or link-local address.")
    intervalSeconds = Whole(min_value=SHORTEST_INTERVAL, max_value=LONGEST_INTERVAL, required=False)  # noqa: N815
    timeoutSeconds = Whole(min_value=1, max_value=LONGEST_TIMEOUT, required=False)  # noqa: N815
    critical = Flag(required=False)


class Health(service.ViewSet):
    """What the polled sources amount to."""

    tag = "Platform health"

    @reads(permission=service.SUPER_ADMIN_OR_SERVICE, throttle="service", answer=_AGGREGATE, refusals=[])
    def aggregate(self, call: Call) -> Answer:
        """Every source and the whole; at most ten seconds old, or as old as `cachedAt` says.

        `unknown`: not polled lately, so nothing is known of it; not the same as down.
        """
        del call
        return Answer(cache.aggregate())


class HealthSources(service.ViewSet):
    """Who is polled."""

    tag = "Internal"

    @changes(
        permission=INTERNAL,
        throttle="service.internal",
        body=SourceBody,
        answer=_SOURCE,
        target="health_source",
        status=201,
        also=[200],
        outside=True,
        refusals=[],
    )
    def register(self, call: Call) -> Answer:
        """Adds a source (201), or changes the one of that service (200); what is not sent stays.

        It is polled at once. A name that can't be resolved yet is taken; what it resolves to is looked at with each
        poll, and a redirect is not followed.
        """
        body = call.body
        source, made = services.register_source(
            actor=call.actor,
            service_id=body["serviceId"],
            url=body["url"],
            interval_seconds=body.get("intervalSeconds"),
            timeout_seconds=body.get("timeoutSeconds"),
            critical=body.get("critical"),
        )
        return Answer(source_row(source), status=201 if made else 200)


def source_row(source: HealthSource) -> dict[str, Any]:
    return {
        "serviceId": source.service_id,
        "url": source.url,
        "intervalSeconds": source.interval_seconds,
        "timeoutSeconds": source.timeout_seconds,
        "critical": source.critical,
        "status": source.status,
    }
