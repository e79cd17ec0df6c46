"""Segments: conditions that many rules share."""

from typing import Any

from apps.approvals.services import guard
from apps.core.clock import now
from apps.core.errors import PreconditionFailed
from apps.core.principal import Principal
from apps.core.write import Target, write
from apps.flags import engine
from apps.flags.errors import FlagInvalid, SegmentInUse, SegmentKeyTaken, SegmentNotFound
from apps.flags.models import Flag, Segment
from apps.flags.querysets import using_segment
from apps.flags.services.common import CHANGE_CRITICAL, hold_definitions, tell


def create_segment(
    *, actor: Principal, key: str, conditions: list[Any], description: str = "", reason: str = ""
) -> Segment:
    """A new segment.

    Raises:
        FlagInvalid: key or conditions make no sense.
        SegmentKeyTaken
    """
    with write("segment.create", actor=actor, target=_target(key), reason=reason) as w:
        hold_definitions()
        if Segment.objects.filter(key=key).exists():
            raise SegmentKeyTaken(details={"key": [f"There is a segment {key!r} already."]})
        row = Segment(key=key, description=description, conditions=conditions)
        _check(row)
        row.save(force_insert=True)
        w.changed(after=row.definition())
        tell(w)
    return row


def update_segment(
    *,
    actor: Principal,
    key: str,
    conditions: list[Any] | None = None,
    description: str | None = None,
    if_match: int | None = None,
    reason: str = "",
) -> Segment:
    """Changes what is given; every flag that uses it changes with it.

    Raises:
        SegmentNotFound, PreconditionFailed, FlagInvalid
        ApprovalRequired: a flag that uses it needs a second person.
    """
    if conditions is None and description is None:
        raise FlagInvalid("body", "Say what is to change.")
    with write("segment.update", actor=actor, target=_target(key), reason=reason) as w:
        row = _held(key, if_match)
        if using_segment(key).filter(needs_approval=True).exists():
            guard(CHANGE_CRITICAL, actor=actor)
        before = row.definition()
        row.conditions = row.conditions if conditions is None else conditions
        row.description = row.description if description is None else description
        _check(row)
        after = row.definition()
        if after == before:
            w.note(unchanged=True)
            return row
        row.version += 1
        row.updated_at = now()
        row.save()
        # In sorted order: whoever sets overrides of several flags holds them so.
        looked_at = using_segment(key).filter(same_for_all__isnull=False).values_list("key", flat=True)
        for flag in sorted(looked_at):
            Flag.objects.filter(key=flag).update(same_for_all=None)
        w.changed(
            before={name: before[name] for name in before if before[name] != after[name]},
            after={name: after[name] for name in after if before[name] != after[name]},
        )
        tell(w)
    return row


def delete_segment(*, actor: Principal, key: str, if_match: int | None = None, reason: str = "") -> None:
    """Removes a segment that no flag uses.

    Raises:
        SegmentNotFound, PreconditionFailed
        SegmentInUse: names the flags, archived ones too.
    """
    with write("segment.delete", actor=actor, target=_target(key), reason=reason) as w:
        row = _held(key, if_match)
        users = list(using_segment(key).order_by("key").values_list("key", flat=True)[:100])
        if users:
            raise SegmentInUse(users)
        row.delete()
        w.changed(before=row.definition())
        tell(w)


def _held(key: str, if_match: int | None) -> Segment:
    hold_definitions()
    row = Segment.objects.select_for_update().filter(key=key).first()
    if row is None:
        raise SegmentNotFound
    if if_match is not None and if_match != row.version:
        raise PreconditionFailed(details={"current": row.version})
    return row


def _check(row: Segment) -> None:
    try:
        engine.read_segment({"key": row.key, "conditions": row.conditions})
    except engine.Malformed as wrong:
        raise FlagInvalid(wrong.field, wrong.sentence) from None


def _target(key: str) -> Target:
    return Target(type="segment", id=key[:128])
