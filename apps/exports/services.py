"""Asking for an export, making it, ending it."""

import json
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID
from zipfile import BadZipFile

from django.db.models import Q

from apps.core.access import allows
from apps.core.clock import now
from apps.core.enums import JobStatus
from apps.core.erasing.traces import Traces
from apps.core.errors import Forbidden, NotFound
from apps.core.ids import TENANT, new_id, parse_or_none
from apps.core.models import Job
from apps.core.objectstore import ObjectNotFound, Opened, Stat, store
from apps.core.outbound.messages import queue_mail
from apps.core.principal import Principal, PrincipalKind
from apps.core.write import Target, record_denied, write
from apps.exports.enums import ExportFormat, ExportStatus
from apps.exports.errors import (
    ExportKindUnknown,
    ExportNotFound,
    ExportNotReady,
    ExportParamsInvalid,
    LinkInvalid,
)
from apps.exports.formats import WRITERS, as_zip, texts_of
from apps.exports.knobs import LINK_HOURS, MAX_ROWS
from apps.exports.links import download_url, is_signed
from apps.exports.models import Export
from apps.exports.querysets import visible_to
from apps.exports.registry import Kind, Row, find_kind
from apps.exports.selectors import may_download

BUILD = "exports.build"
_TELL_SECONDS = 1.0
_FILES = "exports/"
_STRAY = timedelta(days=1)

Tell = Callable[[int, int], None]


def request_export(
    *,
    actor: Principal,
    kind: str,
    params: Mapping[str, Any] | None = None,
    format_: str = ExportFormat.CSV,
    tenant_id: UUID | None = None,
    reason: str = "",
) -> Export:
    """Asks for a file; a job makes it, and a mail says when it is there.

    Args:
        params: of the kind; checked by it.
        tenant_id: the tenant that the export is about, where it is about one; by default the parameter's.

    Raises:
        ExportKindUnknown: no such kind.
        ExportParamsInvalid: the kind refuses the parameters or the format.
        Forbidden: the caller is not of the staff, or lacks the kind's permission.
    """
    known = find_kind(kind)
    if known is None:
        raise ExportKindUnknown(details={"kind": [f"{kind[:60]!r} can't be exported."]})
    if actor.kind is not PrincipalKind.STAFF or not allows(actor, known.permission):
        raise Forbidden
    if format_ not in known.formats:
        raise ExportParamsInvalid(details={"format": [f"One of {', '.join(sorted(known.formats))}."]})
    checked = known.params(params or {})
    identity = new_id()
    if tenant_id is None and "tenant_id" in checked:
        tenant_id = parse_or_none(TENANT, checked["tenant_id"])
    row = Export(
        id=identity,
        kind=kind,
        format=format_,
        params=checked,
        tenant_id=tenant_id,
        requested_by=actor.id,
        requested_by_user_id=actor.user_id,
        roles=sorted(actor.roles),
        object_key=f"{_FILES}{identity}.{format_}",
    )
    with write("export.request", actor=actor, target=row.audit_target(), reason=reason) as w:
        row.save(force_insert=True)
        w.note(kind=kind, format=format_)
        w.changed(after={"params": checked})
        w.enqueue(BUILD, unique_key=row.job_key, tenant_id=tenant_id, export_id=str(row.id))
    return row


@dataclass(slots=True)
class _Counted:
    """Rows on their way into a file: counted, cut at the limit, told of once a second."""

    limit: int
    tell: Tell
    total: int
    done: int = 0
    truncated: bool = False
    told: float = field(default_factory=time.monotonic)

    def through(self, rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            if self.done >= self.limit:
                self.truncated = True
                return
            self.done += 1
            if time.monotonic() - self.told >= _TELL_SECONDS:
                self.told = time.monotonic()
                self.tell(self.done, max(self.total, self.done) if self.total else 0)
            yield row


def build_export(*, actor: Principal, export_id: UUID, tell: Tell) -> dict[str, Any]:
    """Makes the file: gathers, stores, settles. Done again from the beginning where it was killed; the file is put
    under the same key, whole or not at all, and there is one mail.

    Args:
        actor: who asked, as the job knows them; `label` is where the mail goes.

    Raises:
        ExportKindUnknown: the kind is gone.
        whatever the kind raises.
    """
    row = Export.objects.filter(id=export_id).first()
    if row is None or row.status != ExportStatus.PROCESSING:
        return {}
    kind = find_kind(row.kind)
    if kind is None:
        raise ExportKindUnknown
    stat, counted = _make(row, kind, tell)
    return _settle(actor, row, kind, stat, counted)


def _make(row: Export, kind: Kind, tell: Tell) -> tuple[Stat, _Counted]:
    requester = row.requester()
    most = MAX_ROWS.get() if kind.limit is None else min(kind.limit, MAX_ROWS.get())
    if kind.members is not None:
        most = sys.maxsize
    total = min(kind.count(requester, row.params), most) if kind.count is not None else 0
    counted = _Counted(limit=most, tell=tell, total=total)
    tell(0, total)
    content_type, chunks = _file(row, kind, requester, counted)
    stat = store().put(row.object_key, chunks, content_type=content_type)
    tell(counted.done, counted.done)
    return stat, counted


def _file(row: Export, kind: Kind, requester: Principal, counted: _Counted) -> tuple[str, Iterator[bytes]]:
    if kind.members is not None:
        members = ((name, counted.through(rows)) for name, rows in kind.members(requester, row.params))
        return "application/zip", as_zip(kind.about(row.params), members)
    content_type, writer = WRITERS[ExportFormat(row.format)]
    return content_type, writer(kind.columns, counted.through(iter(kind.rows(requester, row.params))))


def _settle(actor: Principal, seen: Export, kind: Kind, stat: Stat, counted: _Counted) -> dict[str, Any]:
    with write("export.complete", actor=actor, target=seen.audit_target()) as w:
        row = Export.objects.select_for_update().filter(id=seen.id).first()
        if row is None or row.status != ExportStatus.PROCESSING:
            w.note(overtaken=True)
        else:
            row.status, row.rows, row.truncated = ExportStatus.READY, counted.done, counted.truncated
            row.size, row.sha256 = stat.size, stat.sha256
            row.ready_at = now()
            row.expires_at = row.ready_at + timedelta(hours=LINK_HOURS.get())
            row.save()
            w.note(rows=row.rows, truncated=row.truncated, sha256=row.sha256)
            if "@" in actor.label:
                queue_mail(
                    w,
                    to=actor.label,
                    subject=f"Your export is ready: {kind.title}",
                    text=_mail(row, kind),
                    unique_key=f"export-ready:{row.id}",
                )
            return {"rows": row.rows, "truncated": row.truncated}
    # Where another run has made it ready the file is its own; else nobody would ever remove this one.
    if row is None or row.status in {ExportStatus.FAILED, ExportStatus.EXPIRED}:
        store().delete(seen.object_key)
    return {}


def _mail(row: Export, kind: Kind) -> str:
    cut = " (there were more; this is where the file ends)" if row.truncated else ""
    return (
        f"{kind.title}: {row.rows:,} row{'' if row.rows == 1 else 's'}{cut}, {row.format.upper()}.\n\n"
        f"{download_url(row)}\n\n"
        f"Sign in first. The file is removed on {row.expires_at:%d %B %Y at %H:%M} UTC.\n"
    )


def fail_export(*, actor: Principal, export_id: UUID, error: str) -> None:
    """Ends an export that will not be made. Nothing where it ended already."""
    seen = Export.objects.filter(id=export_id, status=ExportStatus.PROCESSING).first()
    if seen is None:
        return
    with write("export.fail", actor=actor, target=seen.audit_target()) as w:
        row = Export.objects.select_for_update().filter(id=export_id).first()
        if row is None or row.status != ExportStatus.PROCESSING:
            w.note(overtaken=True)
            return
        row.status, row.error = ExportStatus.FAILED, error[:500]
        row.save(update_fields=["status", "error"])
        w.note(error=error[:200])


def open_download(
    *, actor: Principal, export_id: UUID, expires: int, signature: str
) -> tuple[Export, Opened]:
    """The file, for whoever holds the link and the right; each download is in the trail.

    Raises:
        ExportNotFound: not there, or not the caller's.
        LinkInvalid: the link is not ours, or its time is over.
        ExportNotReady: there is no file (yet, or any longer).
        Forbidden: the caller's rights no longer reach as far as the file.
    """
    row = visible_to(actor).filter(id=export_id).first()
    if row is None:
        raise ExportNotFound
    if not is_signed(row, expires=expires, signature=signature) or expires <= now().timestamp():
        raise LinkInvalid
    if not row.is_downloadable(now()):
        raise ExportNotReady(details={"status": [row.status]})
    if not may_download(actor, row):
        record_denied("export.download", actor=actor, target=row.audit_target())
        raise Forbidden
    with write("export.download", actor=actor, target=row.audit_target()) as w:
        w.note(kind=row.kind, requested_by=row.requested_by)
    return row, _opened(row)


def _opened(row: Export) -> Opened:
    context = store().open(row.object_key)
    try:
        opened = context.__enter__()
    except NotFound:
        raise ExportNotReady(details={"status": ["the file is gone"]}) from None

    def chunks() -> Iterator[bytes]:
        try:
            yield from opened.chunks
        finally:
            context.__exit__(None, None, None)

    return Opened(opened.stat, chunks())


def end_exports(*, actor: Principal) -> dict[str, int]:
    """Expires files whose time is over, fails exports whose job is dead, removes files that nobody may download, and
    those that no export leads to.

    Each export in a write of its own; killed anywhere, the next run goes on.
    """
    expired = 0
    over = Export.objects.filter(status=ExportStatus.READY, expires_at__lte=now())
    for row in list(over.order_by("expires_at")[:500]):
        with write("export.expire", actor=actor, target=row.audit_target()):
            expired += Export.objects.filter(id=row.id, status=ExportStatus.READY).update(
                status=ExportStatus.EXPIRED
            )
    failed = _fail_dead(actor)
    removed = 0
    ended = Q(status__in=[ExportStatus.EXPIRED, ExportStatus.FAILED], removed_at=None)
    for identity, key in list(Export.objects.filter(ended).values_list("id", "object_key")[:500]):
        store().delete(key)
        removed += Export.objects.filter(id=identity).update(removed_at=now())
    return {"expired": expired, "failed": failed, "removed": removed + _remove_strays()}


def _remove_strays() -> int:
    """Files without an export: the database was restored to before it was asked for, or the export went (a purge, an
    erasure) while a job that then died was making it."""
    found = [stat.key for stat in store().list(_FILES) if stat.modified_at < now() - _STRAY]
    standing = Export.objects.filter(object_key__in=found, removed_at=None)
    strays = set(found) - set(standing.values_list("object_key", flat=True))
    return sum(store().delete(key) for key in strays)


def _fail_dead(actor: Principal) -> int:
    """Exports whose job died at each attempt can't say so themselves."""
    failed = 0
    old = now() - timedelta(minutes=5)
    for row in list(Export.objects.filter(status=ExportStatus.PROCESSING, created_at__lt=old)[:500]):
        job = Job.objects.filter(unique_key=row.job_key).only("status").first()
        if job is None or job.status in {JobStatus.FAILED, JobStatus.COMPLETED}:
            fail_export(actor=actor, export_id=row.id, error="The job could not be finished.")
            failed += 1
    return failed


def remove_files_of_tenant(tenant_id: UUID, actor: Principal) -> None:
    """Removes the files about a tenant, and ends those that are being made (purge). Safe to run twice."""
    about = Q(tenant_id=tenant_id)
    _end_making(about, actor, "The tenant was purged meanwhile.")
    _remove_files(about)


def remove_tenant(tenant_id: UUID, actor: Principal) -> int:
    """Removes the exports about a tenant, whose files are gone (purge). Safe to run twice."""
    return _remove_rows(Q(tenant_id=tenant_id), Target(type="export", id="*", tenant_id=tenant_id), actor)


def sweep_person(traces: Traces, actor: Principal) -> int:
    """Removes what a person asked for, and every file in which they stand, files first. Safe to run twice.

    What is being made just now may have read the person before they went: it is ended, and can be asked for again.
    """
    _end_making(Q(), actor, "Somebody was erased meanwhile: ask for it again.")
    own = set(Export.objects.filter(requested_by_user_id=traces.person_id).values_list("id", flat=True))
    there = Export.objects.filter(removed_at=None)
    found = {row.id for row in there.iterator(500) if row.id not in own and _bears(row, traces)}
    target = Target(type="export", id="*", person_id=traces.person_id)
    doomed = Q(id__in=own | found)
    _remove_files(doomed)
    return _remove_rows(doomed, target, actor)


def _bears(row: Export, traces: Traces) -> bool:
    """True where parameters or file mention the person; a file that can't be read may, and can be asked for again."""
    if traces.are_meant(json.dumps(row.params, ensure_ascii=False)):
        return True
    try:
        with store().open(row.object_key) as opened:
            return any(map(traces.are_meant, texts_of(row.format, opened.chunks)))
    except ObjectNotFound:
        return False
    except (BadZipFile, zlib.error):
        return True


def _end_making(which: Q, actor: Principal, error: str) -> None:
    """Whoever makes one of them finds it ended, and leaves no file."""
    for export_id in Export.objects.filter(which, status=ExportStatus.PROCESSING).values_list(
        "id", flat=True
    ):
        fail_export(actor=actor, export_id=export_id, error=error)


def _remove_files(which: Q) -> None:
    for key in Export.objects.filter(which).values_list("object_key", flat=True):
        store().delete(key)


def _remove_rows(which: Q, target: Target, actor: Principal) -> int:
    with write("export.remove", actor=actor, target=target) as w:
        gone = Export.objects.filter(which).delete()[0]
        w.note(rows=gone)
    return gone
