"""Changes to come: written down now, made by a worker at their time, in their author's name."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from apps.core.clock import iso, now
from apps.core.errors import DomainError, Unavailable
from apps.core.principal import Principal
from apps.core.write import Outcome, write
from apps.flags.enums import ScheduleStatus
from apps.flags.errors import FlagInvalid, ScheduleNotFound, ScheduleOver
from apps.flags.models import Flag, ScheduledChange, audit_target
from apps.flags.services.common import held_flag, hold_definitions
from apps.flags.services.flags import FlagFields, changed_copy, update_flag

APPLY_JOB = "flags.apply_scheduled"


class TooEarly(Unavailable):
    """The job that makes a change runs once: ended now, it would never be made."""

    message = "The time of the change has not come."


def schedule_change(
    *, actor: Principal, key: str, at: datetime, change: Mapping[str, Any], reason: str = ""
) -> ScheduledChange:
    """Writes down a change that a worker makes at `at`. It must make sense now; then it is checked again.

    Args:
        change: JSON, any body of a PATCH (`FlagFields`, instants as text).

    Raises:
        FlagNotFound, FlagArchived, FlagInvalid, ApprovalRequired
    """
    with write("flag.schedule", actor=actor, target=audit_target(key[:128]), reason=reason) as w:
        hold_definitions()
        flag = held_flag(key, actor=actor)
        if at <= now():
            raise FlagInvalid("at", "The time must lie ahead.")
        if not change:
            raise FlagInvalid("change", "Say what is to change.")
        changed_copy(flag, fields_of(change))
        row = ScheduledChange(
            flag=flag, at=at, change=dict(change), author=actor.id[:200], approved=flag.needs_approval
        )
        row.save(force_insert=True)
        # The job bears the author as its actor, and its key lets it exist once.
        w.enqueue(APPLY_JOB, unique_key=f"{APPLY_JOB}:{row.id}", run_at=at, schedule_id=str(row.id))
        w.note(schedule=row.public_id, at=iso(at))
        w.changed(after={f"{key}.scheduled": dict(change)})
    return row


def cancel_scheduled(*, actor: Principal, key: str, schedule_id: UUID, reason: str = "") -> ScheduledChange:
    """Takes back a change that has not been made yet.

    Raises:
        FlagNotFound, ScheduleNotFound, ApprovalRequired
        ScheduleOver: it was made, failed or was taken back before.
    """
    with write("flag.cancel_scheduled", actor=actor, target=audit_target(key[:128]), reason=reason) as w:
        flag = held_flag(key, actor=actor, archived_too=True)
        row = ScheduledChange.objects.select_for_update().filter(flag=flag, id=schedule_id).first()
        if row is None:
            raise ScheduleNotFound
        if row.status != ScheduleStatus.PENDING:
            raise ScheduleOver
        _settle(row, ScheduleStatus.CANCELLED)
        w.note(schedule=row.public_id)
    return row


def apply_scheduled(*, actor: Principal, schedule_id: UUID) -> ScheduledChange:
    """Makes a scheduled change, once; where it can't be made any longer, that is kept with the reason.

    Args:
        actor: the author, as the job carries it.

    Raises:
        ScheduleNotFound
        Unavailable: something is away, or our clock is behind the one by which the job was begun; it tries again.
    """
    known = ScheduledChange.objects.select_related("flag").filter(id=schedule_id).first()
    if known is None:
        raise ScheduleNotFound
    if known.status == ScheduleStatus.PENDING and known.at > now():
        raise TooEarly
    key = known.flag.key
    with write("flag.apply_scheduled", actor=actor, target=audit_target(key)) as w:
        # The same order of locks as every other write on flags: whoever cancels holds the flag first, too.
        hold_definitions()
        Flag.objects.select_for_update().get(id=known.flag_id)
        row = ScheduledChange.objects.select_for_update().get(id=schedule_id)
        w.note(schedule=row.public_id)
        if row.status != ScheduleStatus.PENDING:
            w.note(unchanged=True)
            return row
        try:
            update_flag(actor=actor, key=key, fields=fields_of(row.change), approved=row.approved)
        except DomainError as refused:
            if isinstance(refused, Unavailable):
                raise
            row.error = {"code": refused.code, "message": refused.message, "details": refused.details}
            w.entry.outcome = Outcome.FAILURE
            w.note(error=refused.code)
            _settle(row, ScheduleStatus.FAILED)
        else:
            _settle(row, ScheduleStatus.APPLIED)
    return row


def _settle(row: ScheduledChange, status: ScheduleStatus) -> None:
    row.status, row.settled_at = status, now()
    row.save(update_fields=["status", "settled_at", "error"])


def fields_of(change: Mapping[str, Any]) -> FlagFields:
    """The fields behind JSON: instants as such."""
    given = dict(change)
    if given.get("expiresAt"):
        given["expiresAt"] = datetime.fromisoformat(given["expiresAt"])
    return cast("FlagFields", given)
