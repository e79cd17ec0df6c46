"""Segments: conditions that many rules share."""

from typing import cast

from apps.approvals.services import Pending
from apps.core.errors import Conflict, NotFound, PreconditionFailed
from apps.flags import selectors, services
from apps.flags.api.service.inputs import SegmentBody, SegmentPatch
from apps.flags.api.service.rows import SegmentRow, segment_row, waiting
from apps.flags.models import Segment
from apps.flags.services.approved import change
from apps.surfaces import service
from apps.surfaces.kit.actions import changes, reads
from apps.surfaces.kit.answers import Answer, Page
from apps.surfaces.kit.calls import Call


class Segments(service.ViewSet):
    """Segments of tenants and users."""

    tag = "Feature flags"

    @reads(permission=service.SUPER_ADMIN, throttle="service", answer=SegmentRow, paged=True, refusals=[])
    def list(self, call: Call) -> Page:
        """Segments, by key."""
        rows = selectors.list_segments(call.actor)
        return call.page(rows, lambda found: [segment_row(row) for row in found])

    @changes(
        permission=service.SUPER_ADMIN,
        throttle="service.write",
        body=SegmentBody,
        answer=SegmentRow,
        status=201,
        target="segment",
        refusals=[Conflict],
    )
    def create(self, call: Call) -> Answer:
        """Creates a segment."""
        row = services.create_segment(actor=call.actor, **call.body)
        return Answer(segment_row(row), status=201, version=row.version)

    @changes(
        permission=service.SUPER_ADMIN,
        throttle="service.write",
        body=SegmentPatch,
        answer=SegmentRow,
        also=[202],
        target="segment",
        refusals=[NotFound, Conflict, PreconditionFailed],
    )
    def partial_update(self, call: Call) -> Answer:
        """Changes a segment, and every flag that uses it with it."""
        key = call.path["key"]
        outcome = change(
            "update_segment", actor=call.actor, key=key, arguments=call.body, if_match=call.if_match
        )
        if isinstance(outcome, Pending):
            return waiting(outcome)
        row = cast("Segment", outcome)
        return Answer(segment_row(row), version=row.version)

    @changes(
        permission=service.SUPER_ADMIN,
        throttle="service.write",
        answer=None,
        status=204,
        target="segment",
        refusals=[NotFound, Conflict, PreconditionFailed],
    )
    def remove(self, call: Call) -> Answer:
        """Removes a segment that no flag uses."""
        services.delete_segment(actor=call.actor, key=call.path["key"], if_match=call.if_match)
        return Answer(None, status=204)
