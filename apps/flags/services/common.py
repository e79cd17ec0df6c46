"""What every write on flags shares: holding, checking, telling."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.approvals.services import guard
from apps.core.clock import now
from apps.core.errors import PreconditionFailed
from apps.core.principal import Principal
from apps.core.write import Write
from apps.flags import engine
from apps.flags.enums import ChangeKind
from apps.flags.errors import FlagArchived, FlagInvalid, FlagNotFound
from apps.flags.models import TOPIC, Flag, FlagChange, Segment
from apps.flags.snapshot import holder

# The action of apps.approvals under which a flag that needs a second person is changed.
CHANGE_CRITICAL = "flags.change_critical"


def hold_definitions() -> None:
    """Nobody else changes a definition until the transaction ends: what one flag may be depends on the others."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('flags:definitions', 0))")


def held_flag(
    key: str,
    *,
    actor: Principal,
    if_match: int | None = None,
    archived_too: bool = False,
    checked: bool = True,
) -> Flag:
    """The flag with its row locked until the write ends.

    Args:
        checked: False where a second person was asked before (a scheduled change).

    Raises:
        FlagNotFound
        PreconditionFailed: `if_match` is not its present version.
        FlagArchived
        ApprovalRequired: it needs a second person who has not spoken.
    """
    flag = Flag.objects.select_for_update().filter(key=key).first()
    if flag is None:
        raise FlagNotFound
    if if_match is not None and if_match != flag.version:
        raise PreconditionFailed(details={"current": flag.version})
    if flag.is_archived and not archived_too:
        raise FlagArchived
    if flag.needs_approval and checked:
        guard(CHANGE_CRITICAL, actor=actor)
    return flag


def definitions() -> dict[str, engine.Flag]:
    """All flags as the engine reads them. One that makes no sense (the rules were laxer when it was written) is left
    out, as the snapshot leaves it out: it must not keep the others, or its own repair, from being written."""
    segments = segment_keys()
    found = {}
    for row in Flag.objects.all():
        with suppress(engine.Malformed):
            found[row.key] = engine.read_flag(row.evaluated(), segments=segments)
    return found


def segment_keys() -> set[str]:
    return set(Segment.objects.values_list("key", flat=True))


def checked(data: Mapping[str, Any]) -> engine.Flag:
    """The definition as the engine reads it, fit to stand among the others. Under `hold_definitions`.

    Raises:
        FlagInvalid: says where and why.
    """
    try:
        flag = engine.read_flag(data, segments=segment_keys())
        if flag.prerequisites:
            engine.check_prerequisites(flag, definitions())
        return flag
    except engine.Malformed as wrong:
        raise FlagInvalid(wrong.field, wrong.sentence) from None


def tell(w: Write) -> None:
    """Raises the revision; our own process loads right after commit, the others when they hear of it."""
    w.touch(TOPIC)
    transaction.on_commit(holder.refresh_quietly)


def record(
    w: Write,
    flag: Flag,
    kind: ChangeKind,
    *,
    actor: Principal,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    tenant_id: UUID | None = None,
) -> None:
    """A line of the flag's history, and of the trail what differs."""
    FlagChange.objects.create(
        flag=flag,
        kind=kind,
        version=flag.version,
        tenant_id=tenant_id,
        changed_at=now(),
        changed_by=actor.id[:200],
        before=before,
        after=after,
    )
    old, new = before or {}, after or {}
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    w.changed(
        before={f"{flag.key}.{name}": old[name] for name in names if name in old},
        after={f"{flag.key}.{name}": new[name] for name in names if name in new},
    )
    tell(w)
