"""Changes of flags as server-sent events (contracts/service.md, section 5)."""

from django.conf import settings
from django.db import connections

from apps.flags.hub import StreamsTaken, hub
from apps.surfaces import service
from apps.surfaces.internal import INTERNAL
from apps.surfaces.kit.actions import reads
from apps.surfaces.kit.answers import Stream
from apps.surfaces.kit.calls import Call

EVENT_STREAM = "text/event-stream"


class FlagStream(service.ViewSet):
    """One stream for each subscriber."""

    tag = "Internal"

    @reads(
        permission=INTERNAL,
        throttle="service.internal",
        answer=None,
        formats={EVENT_STREAM: "Events without end: `ready`, `change`, `reset`."},
        refusals=[StreamsTaken],
    )
    def listen(self, call: Call) -> Stream:
        """Which flags have changed, as they change.

        `ready` comes first and names the revision. `change` names the flags that may answer otherwise now; `tenants`
        is true where what is known of a tenant has changed. The id of an event is the revision of the bootstrap: with
        `Last-Event-ID` what was missed is sent again, or `reset` where that is no longer known.
        """
        chunks = hub.subscribe(
            call.request.headers.get("Last-Event-ID"),
            most=settings.FLAG_STREAMS,
            seconds=settings.FLAG_STREAM_SECONDS,
        )
        # The stream holds a thread for hours; it must not hold a connection.
        for connection in connections.all(initialized_only=True):
            if not connection.in_atomic_block:
                connection.close()
        return Stream(chunks, EVENT_STREAM, headers={"X-Accel-Buffering": "no"})
