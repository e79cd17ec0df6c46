"""What a worker does with one job: claim, run, settle.

The worker holds a session advisory lock on the job while it runs. When the process dies its connection goes,
and the lock with it: the sweeper then knows at once that the job is nobody's. There is no lease to expire.
"""

import json
import traceback
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.core.clock import now
from apps.core.enums import JobStatus
from apps.core.errors import DomainError, Unavailable
from apps.core.jobs.queueing import advisory_key
from apps.core.jobs.registry import JobType, job_type
from apps.core.models import Job
from apps.core.observability.context import bound
from apps.core.observability.metrics import JOBS
from apps.core.observability.redaction import redact_text
from apps.core.principal import Principal, system

log = structlog.get_logger(__name__)

_LONGEST_PAUSE = timedelta(minutes=15)
_LONGEST_TRACE = 8000


@dataclass(slots=True)
class JobRun:
    """The run that a handler is given (apps.core.jobs.registry.Run)."""

    id: UUID
    actor: Principal
    attempt: int

    def progress(self, done: int, total: int, note: str = "") -> None:
        Job.objects.filter(id=self.id, attempts=self.attempt).update(
            progress={"done": done, "total": total, "note": note}, updated_at=now()
        )


def run(job_id: str) -> None:
    """Runs the job if it is due and nobody else runs it; otherwise does nothing. Never raises for the job's sake."""
    key = advisory_key(UUID(job_id))
    if not _lock(key):
        return
    try:
        row = _claim(UUID(job_id))
        if row is not None:
            _execute(row)
    finally:
        _unlock(key)


def _lock(key: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        row = cursor.fetchone()
    return bool(row and row[0])


def _unlock(key: int) -> None:
    # With the connection gone the lock is gone too.
    if connection.connection is not None and connection.is_usable():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


def _claim(job_id: UUID) -> Job | None:
    """Takes a job that waits, or one whose worker died (its row says active, yet we hold its lock)."""
    with transaction.atomic():
        # Due by PostgreSQL's clock, which all processes share.
        open_ = Q(run_at__lte=Now(), status__in=[JobStatus.WAITING, JobStatus.ACTIVE])
        row = Job.objects.select_for_update().filter(open_, id=job_id).first()
        if row is None:
            return None
        if row.attempts >= row.max_attempts:
            _end(
                row,
                JobStatus.FAILED,
                error={"message": "The worker died at each attempt.", "stack_trace": ""},
            )
            return None
        row.status = JobStatus.ACTIVE
        row.attempts += 1
        row.started_at = row.updated_at = now()
        row.save(update_fields=["status", "attempts", "started_at", "updated_at"])
        return row


def _execute(row: Job) -> None:
    kind: JobType | None
    try:
        kind = job_type(row.name)
    except KeyError:
        kind = None
    if kind is None:
        _end(row, JobStatus.FAILED, error={"message": f"No app knows the job {row.name}.", "stack_trace": ""})
        return
    actor = Principal.from_json(row.actor) if row.actor else system(row.name)
    this = JobRun(id=row.id, actor=actor.at(via="job", address=actor.address), attempt=row.attempts)
    with bound(job=str(row.id), job_name=row.name, request_id=row.request_id or str(row.id)):
        try:
            result = _storable(kind.handler(this, **row.args))
        except Exception as failure:  # noqa: BLE001  whatever a handler raises is the job's outcome
            _drop_lost_connection()
            _fail(row, failure)
        else:
            _drop_lost_connection()
            _end(row, JobStatus.COMPLETED, result=result)
            log.info("job_completed", attempt=row.attempts)


def _storable(result: dict[str, Any] | None) -> dict[str, Any] | None:
    """What a handler gave, as JSON; raises TypeError or ValueError for what is none (and so fails the attempt)."""
    if result is None:
        return None
    stored: dict[str, Any] = json.loads(json.dumps(result, allow_nan=False).replace("\\u0000", ""))
    return stored


def _shown(text: str) -> str:
    """What people read of a failure: neither secrets nor e-mail addresses, and nothing that can't be stored."""
    return redact_text(text.replace("\x00", "").encode("utf-8", "replace").decode())


def _drop_lost_connection() -> None:
    """A job whose connection was cut is settled on a new one. The lock went with the old one: should another worker
    have taken the job meanwhile, the number of the attempt tells them apart."""
    if connection.connection is not None and not connection.is_usable():
        connection.close()


def _fail(row: Job, failure: Exception) -> None:
    permanent = isinstance(failure, DomainError) and not isinstance(failure, Unavailable)
    trace = "".join(traceback.format_exception(failure))[-_LONGEST_TRACE:]
    error = {"message": _shown(f"{type(failure).__name__}: {failure}"[:1000]), "stack_trace": _shown(trace)}
    if permanent or row.attempts >= row.max_attempts:
        log.error("job_failed", attempt=row.attempts, error=type(failure).__name__)
        _end(row, JobStatus.FAILED, error=error)
        return
    pause = min(timedelta(seconds=2 * 4 ** (row.attempts - 1)), _LONGEST_PAUSE)
    log.warning(
        "job_will_retry", attempt=row.attempts, error=type(failure).__name__, seconds=pause.total_seconds()
    )
    Job.objects.filter(id=row.id, status=JobStatus.ACTIVE, attempts=row.attempts).update(
        status=JobStatus.WAITING,
        run_at=Now() + pause,
        dispatched_at=None,
        error=error,
        updated_at=now(),
    )


def _end(
    row: Job,
    status: JobStatus,
    *,
    result: dict[str, object] | None = None,
    error: dict[str, str] | None = None,
) -> None:
    """Settles this attempt. A run that lost its lock and was overtaken by another changes nothing."""
    JOBS.labels(row.name, status).inc()
    Job.objects.filter(id=row.id, attempts=row.attempts).exclude(
        status__in=[JobStatus.COMPLETED, JobStatus.FAILED]
    ).update(
        status=status, result=result, error=error, finished_at=now(), updated_at=now(), attempts=F("attempts")
    )
