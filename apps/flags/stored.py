"""What a snapshot is built from: rows as they stand in the database, or in a file beside it."""

import json
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

import orjson
import structlog

from apps.core.clock import iso
from apps.core.ids import TENANT, public
from apps.flags.engine import (
    Flag,
    Malformed,
    Override,
    Segment,
    Snapshot,
    TenantAttributes,
    read_flag,
    read_segment,
)
from apps.flags.models import TOPIC
from apps.tenants.events import ATTRIBUTES_TOPIC

log = structlog.get_logger(__name__)

Fetch: TypeAlias = Callable[[str], Sequence[tuple[Any, ...]]]
# Of the file: a line that says what it is of, one with all but the tenants, and the tenants in pieces.
_FORMAT = 5
_LONGEST_FIRST_LINE = 1_000
_PIECE = 2_000

_REVISIONS = "SELECT name, revision, changed_at FROM core_live_topic"
_FLAGS = (
    "SELECT key, type, variations::text, off_variation, default_enabled, is_archived, rules::text, rollout::text, "
    "prerequisites::text, hash, salt FROM flags_flag"
)
_SEGMENTS = "SELECT key, conditions::text FROM flags_segment"
# Ended ones too: a process that loaded them before they ended must come to the same revision.
_OVERRIDES = (
    "SELECT f.key, o.tenant_id, o.enabled, o.variation, o.expires_at "
    "FROM flags_override o JOIN flags_flag f ON f.id = o.flag_id"
)
_TENANTS = (
    "SELECT t.id, p.slug, t.status, t.tags, t.country, t.created_at "
    "FROM tenants_tenant t JOIN plans_plan p ON p.id = t.effective_plan_id"
)
# Rows written by a transaction that the snapshot with this horizon did not see; more of them do no harm. No clock is
# asked, and nothing that a write might forget to set.
_TENANTS_SINCE = _TENANTS + " WHERE age(t.xmin) <= age('{horizon}'::xid)"
_GONE_SINCE = "SELECT t.tenant_id FROM tenants_tombstone t WHERE age(t.xmin) <= age('{horizon}'::xid)"
_HORIZON = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text"
_NUMBER_OF_TENANTS = "SELECT count(*) FROM tenants_tenant"
_XIDS = 2**32


@dataclass(frozen=True, slots=True)
class Rows:
    """JSON values.

    Attributes:
        versions: revisions of the flags and of what is known of tenants.
        stamps: when each was reached, or "": a restored database comes to the same revisions with other flags.
        flags, segments: inputs of `read_flag` and `read_segment`.
        overrides: (flag, tenant, enabled, variation or "", expiry in seconds or None).
        tenants: by id, (plan, status, tags, country or None, created at).
        horizon: the oldest transaction that was not over when this was read.
    """

    versions: tuple[int, int]
    stamps: tuple[str, str]
    read_at: float
    flags: list[dict[str, Any]]
    segments: list[dict[str, Any]]
    overrides: list[Sequence[Any]]
    tenants: dict[str, Sequence[Any]]
    horizon: int = 0


def read(
    fetch: Fetch, *, before: Rows | None = None, is_same_database: bool = False, only_news: bool = False
) -> Rows:
    """A few queries; `fetch` runs them in one transaction that sees one moment.

    Args:
        before: what was read last. Where nothing is new about tenants, that part of it is taken over: there may be
            hundreds of thousands of them, and flags change more often.
        is_same_database: `before` was read on the same connection. Only then is it certain that the database was not
            restored in between, and of changed tenants only these are read.
        only_news: `before` itself is answered where no revision was raised since it was read.
    """
    found = {name: (revision, iso(at)) for name, revision, at in fetch(_REVISIONS)}
    (flags_version, flags_stamp), (tenants_version, tenants_stamp) = (
        found.get(topic, (0, "")) for topic in (TOPIC, ATTRIBUTES_TOPIC)
    )
    versions, stamps = (flags_version, tenants_version), (flags_stamp, tenants_stamp)
    if (
        before is not None
        and is_same_database
        and only_news
        and (versions, stamps) == (before.versions, before.stamps)
    ):
        return before
    ((horizon,),) = fetch(_HORIZON)
    known = None
    if before is not None and before.stamps[1] == tenants_stamp != "":
        known = before.tenants
        # They are as old as they were.
        horizon = before.horizon if is_same_database else horizon
    elif before is not None and is_same_database:
        known = _tenants_since(fetch, before)
    return Rows(
        versions=versions,
        stamps=stamps,
        read_at=time.time(),
        flags=[_flag_row(row) for row in fetch(_FLAGS)],
        segments=[{"key": key, "conditions": json.loads(text)} for key, text in fetch(_SEGMENTS)],
        overrides=[
            (key, _public(tenant), enabled, variation, ends.timestamp() if ends else None)
            for key, tenant, enabled, variation, ends in fetch(_OVERRIDES)
        ],
        tenants=known if known is not None else _tenants(fetch(_TENANTS)),
        horizon=int(horizon),
    )


def _tenants(found: Sequence[tuple[Any, ...]]) -> dict[str, Sequence[Any]]:
    return dict(_tenant_row(*row) for row in found)


def _tenants_since(fetch: Fetch, before: Rows) -> dict[str, Sequence[Any]] | None:
    """Those of `before` with what changed since; None where some are missing that left no tombstone: all are read."""
    horizon = before.horizon % _XIDS
    changed = _tenants(fetch(_TENANTS_SINCE.format(horizon=horizon)))
    gone = [_public(tenant) for (tenant,) in fetch(_GONE_SINCE.format(horizon=horizon))]
    ((number,),) = fetch(_NUMBER_OF_TENANTS)
    # Only what is other: the rest stays the same object, by which `build` knows it.
    found = before.tenants | {
        tenant: row for tenant, row in changed.items() if before.tenants.get(tenant) != row
    }
    for tenant in gone:
        found.pop(tenant, None)
    return found if len(found) == number else None


def build(rows: Rows, *, before: tuple[Rows, Snapshot] | None = None) -> Snapshot:
    """The snapshot. A row that makes no sense is left out and told of: it must not keep all others away.

    Args:
        before: what was read and built last: whatever is the same is not made again.
    """
    last, snapshot = before if before is not None else (None, None)
    segments = [read for data in rows.segments if (read := _segment(data)) is not None]
    known = {segment.key for segment in segments}
    same = _unchanged(rows, last, snapshot)
    flags = {
        data["key"]: found
        for data in rows.flags
        if (found := same.get(id(data)) or _flag(data, known)) is not None
    }
    moved, gone = _moved(rows, last)
    overrides = []
    for key, tenant, enabled, variation, ends in rows.overrides:
        flag = flags.get(key)
        if flag is not None:
            chosen = variation or (flag.on_variation if enabled else flag.off_variation)
            overrides.append(Override(key, tenant, chosen, ends))
    return Snapshot.build(
        revision=f"{rows.versions[0]}.{rows.versions[1]}-{_print(rows.stamps)}",
        loaded_at=rows.read_at,
        flags=flags.values(),
        segments=segments,
        overrides=overrides,
        tenants=(_attributes(tenant, row) for tenant, row in moved.items()),
        gone=gone,
        before=snapshot,
    )


def _moved(rows: Rows, last: Rows | None) -> tuple[dict[str, Sequence[Any]], Collection[str] | None]:
    """Tenants to be made, and those that have gone; None instead of these where all are to be made."""
    if last is None:
        return rows.tenants, None
    if last.tenants is rows.tenants:
        return {}, ()
    moved = {tenant: row for tenant, row in rows.tenants.items() if last.tenants.get(tenant) is not row}
    stayed = len(rows.tenants) - sum(tenant not in last.tenants for tenant in moved)
    return moved, () if stayed == len(last.tenants) else last.tenants.keys() - rows.tenants.keys()


def _attributes(tenant: str, row: Sequence[Any]) -> TenantAttributes:
    plan, status, tags, country, created = row
    return TenantAttributes(tenant, plan, status, tuple(tags), country, created)


def _unchanged(rows: Rows, last: Rows | None, snapshot: Snapshot | None) -> dict[int, Flag]:
    """Flags that were read and checked before, by the identity of their row (`_flag_row` remembers rows)."""
    if last is None or snapshot is None or last.segments != rows.segments:
        return {}
    found = {id(data): snapshot.definitions.get(data["key"]) for data in last.flags}
    return {place: flag for place, flag in found.items() if flag is not None}


def write_file(path: str, rows: Rows) -> None:
    """Keeps the rows for a process that starts without the database; a reader sees the old file or the new one.

    Of the processes of a machine one writes, the others find it written. In pieces: whoever makes all of it at once
    keeps the threads that answer from the interpreter for as long. A folder that can't be written is told of and
    otherwise ignored: flags must not depend on it.
    """
    if not path or _is_kept(path, rows):
        return
    target, made = Path(path), ""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            made = file.name
            for line in _lines(rows):
                file.write(line)
        Path(made).replace(target)
    except OSError as wrong:
        log.warning("flags_file_not_written", error=type(wrong).__name__)
        with suppress(OSError):
            Path(made).unlink(missing_ok=True)


def _lines(rows: Rows) -> Iterator[bytes]:
    yield _first_line(rows)
    yield orjson.dumps(replace(rows, tenants={}), option=orjson.OPT_APPEND_NEWLINE)
    tenants = iter(rows.tenants.items())
    while piece := dict(islice(tenants, _PIECE)):
        yield orjson.dumps(piece, option=orjson.OPT_APPEND_NEWLINE)


def _first_line(rows: Rows) -> bytes:
    """What a file is of."""
    head = {"format": _FORMAT, "versions": rows.versions, "stamps": rows.stamps}
    return orjson.dumps(head, option=orjson.OPT_APPEND_NEWLINE)


def _is_kept(path: str, rows: Rows) -> bool:
    try:
        with Path(path).open("rb") as file:
            return file.readline(_LONGEST_FIRST_LINE) == _first_line(rows)
    except OSError:
        return False


def read_file(path: str) -> Rows | None:
    """What was kept; None where there is nothing that can be read."""
    if not path:
        return None
    try:
        head, content, *pieces = map(orjson.loads, Path(path).read_bytes().splitlines())
        if head["format"] != _FORMAT:
            return None
        for piece in pieces:
            content["tenants"].update(piece)
        versions, stamps = tuple(content.pop("versions")), tuple(content.pop("stamps"))
        return Rows(versions=versions, stamps=stamps, **content)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as wrong:
        log.warning("flags_file_not_read", error=type(wrong).__name__)
        return None


def _print(stamps: Sequence[str]) -> str:
    return blake2b("/".join(stamps).encode(), digest_size=3).hexdigest()


@lru_cache(maxsize=65_536)
def _public(tenant: UUID) -> str:
    return public(TENANT, tenant)


@lru_cache(maxsize=8_192)
def _flag_row(row: tuple[Any, ...]) -> dict[str, Any]:
    key, type_, variations, off, default, archived, rules, rollout, prerequisites, hash_, salt = row
    return {
        "key": key,
        "type": type_,
        "variations": json.loads(variations),
        "offVariation": off,
        "defaultEnabled": default,
        "isArchived": archived,
        "rules": json.loads(rules),
        "rollout": json.loads(rollout) if rollout else None,
        "prerequisites": json.loads(prerequisites),
        "hash": hash_,
        "salt": salt,
    }


def _tenant_row(
    tenant: UUID, plan: str, status: str, tags: list[str], country: str, created: datetime
) -> tuple[str, Sequence[Any]]:
    return _public(tenant), (plan, status, tags, country or None, iso(created))


def _flag(data: dict[str, Any], segments: set[str]) -> Flag | None:
    try:
        return read_flag(data, segments=segments)
    except Malformed as wrong:
        log.error("flag_ignored", flag=data["key"], field=wrong.field)
        return None


def _segment(data: dict[str, Any]) -> Segment | None:
    try:
        return read_segment(data)
    except Malformed as wrong:
        log.error("segment_ignored", segment=data["key"], field=wrong.field)
        return None
