"""Changes of a flag that a worker makes at their time."""

from typing import cast

from apps.approvals.services import Pending
from apps.core.clock import iso
from apps.core.errors import Conflict, NotFound, Unprocessable
from apps.flags import selectors
from apps.flags.api.service.inputs import ScheduleBody
from apps.flags.api.service.rows import ScheduledRow, as_json, scheduled_row, waiting
from apps.flags.models import ScheduledChange
from apps.flags.services.approved import change
from apps.surfaces import service
from apps.surfaces.kit.actions import changes, reads
from apps.surfaces.kit.answers import Answer, Page
from apps.surfaces.kit.calls import Call


class Schedule(service.ViewSet):
    """Scheduled changes."""

    tag = "Feature flags"

    @reads(permission=service.SUPER_ADMIN, throttle="service", answer=ScheduledRow, paged=True)
    def list(self, call: Call) -> Page:
        """Scheduled changes of a flag by their time, those that are over too."""
        rows = selectors.schedule_of(call.actor, key=call.path["key"])
        return call.page(rows, lambda found: [scheduled_row(row) for row in found])

    @changes(
        permission=service.SUPER_ADMIN,
        throttle="service.write",
        body=ScheduleBody,
        answer=ScheduledRow,
        status=201,
        also=[202],
        target="flag",
        refusals=[NotFound, Conflict, Unprocessable],
    )
    def create(self, call: Call) -> Answer:
        """Schedules a change: any body of a PATCH, made once at its time in the caller's name."""
        arguments = {"at": iso(call.body["at"]), "change": as_json(call.body["change"])}
        outcome = change("schedule", actor=call.actor, key=call.path["key"], arguments=arguments)
        if isinstance(outcome, Pending):
            return waiting(outcome)
        return Answer(scheduled_row(cast("ScheduledChange", outcome)), status=201)

    @changes(
        permission=service.SUPER_ADMIN,
        throttle="service.write",
        answer=None,
        status=204,
        also=[202],
        target="flag",
        refusals=[NotFound, Conflict, Unprocessable],
    )
    def cancel(self, call: Call) -> Answer:
        """Takes back a change that has not been made yet."""
        row = selectors.scheduled_change(call.actor, key=call.path["key"], public_id=call.path["id"])
        arguments = {"schedule_id": row.public_id}
        outcome = change("cancel", actor=call.actor, key=call.path["key"], arguments=arguments)
        return waiting(outcome) if isinstance(outcome, Pending) else Answer(None, status=204)
