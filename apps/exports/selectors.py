"""Reads of exports."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from apps.core.access import Reach, allows, masked, reach
from apps.core.clock import now
from apps.core.models import Job
from apps.core.principal import Principal
from apps.exports.errors import ExportNotFound
from apps.exports.links import download_url
from apps.exports.models import Export
from apps.exports.querysets import visible_to
from apps.exports.registry import Kind, find_kind, kinds


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the job is: `done` of `total` rows; `total` 0: unknown."""

    done: int
    total: int


def export(principal: Principal, export_id: UUID) -> Export:
    """One export.

    Raises:
        ExportNotFound: not there, or not the caller's.
    """
    found = visible_to(principal).filter(id=export_id).first()
    if found is None:
        raise ExportNotFound
    return found


def progress(export: Export) -> Progress | None:
    """How far a running export is; None before its job has begun."""
    job = Job.objects.filter(unique_key=export.job_key).only("progress").first()
    if job is None or not job.progress:
        return None
    return Progress(done=job.progress["done"], total=job.progress["total"])


def facts(export: Export) -> dict[str, Any]:
    """What a surface says of an export (contracts/platform.md, logs/export): the link where the file is there."""
    ready = export.is_downloadable(now())
    return {
        "export_id": export.public_id,
        "status": export.status,
        "download_url": download_url(export) if ready else None,
        "rows": export.rows,
        "truncated": export.truncated,
        "expires_at": export.expires_at,
    }


def may_download(principal: Principal, export: Export) -> bool:
    """The requester, or whoever may read all exports; with rights that still reach as far as the file does.

    Whoever lost the role, or reads masked now what the file holds in clear, does not get it any longer.
    """
    kind = find_kind(export.kind)
    if kind is None or not (export.asked_by(principal) or allows(principal, "exports.read_any")):
        return False
    then = export.requester()
    if reach(principal, kind.permission) not in {reach(then, kind.permission), Reach.ALL}:
        return False
    if not allows(principal, kind.permission):
        return False
    return not masked(principal, kind.permission) or masked(then, kind.permission)


def kinds_for(principal: Principal) -> list[Kind]:
    """What the caller may export."""
    return [kind for kind in kinds() if allows(principal, kind.permission)]
