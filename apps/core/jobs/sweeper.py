"""Sends again what nobody picked up: due jobs that no broker was told of, told in vain, or died half-way."""

from datetime import timedelta

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from apps.core.clock import now
from apps.core.enums import JobStatus
from apps.core.jobs.queueing import advisory_key, wake
from apps.core.knobs.own import IDEMPOTENCY_HOURS, JOB_DAYS
from apps.core.models import IdempotentResponse, Job

_PATIENCE = timedelta(seconds=30)
_BATCH = 500


def sweep() -> int:
    """Wakes workers for jobs that are due. Answers how many were sent."""
    waiting = Job.objects.filter(status=JobStatus.WAITING, run_at__lte=Now()).filter(
        Q(dispatched_at__isnull=True) | Q(dispatched_at__lt=Now() - _PATIENCE)
    )
    sent = wake(waiting.order_by("run_at")[:_BATCH])
    active = list(Job.objects.filter(status=JobStatus.ACTIVE).order_by("started_at")[:_BATCH])
    held = _held_locks() if active else set()
    return sent + wake(row for row in active if advisory_key(row.id) not in held)


def _held_locks() -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks WHERE locktype = 'advisory' "
            "AND objsubid = 1 AND granted AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return {row[0] for row in cursor.fetchall()}


def purge_old() -> dict[str, int]:
    """Deletes idempotent responses (24 h by default) and ended jobs (30 days by default), in batches."""
    removed = {"idempotent_responses": 0, "jobs": 0}
    stale = IdempotentResponse.objects.filter(
        completed_at__lt=Now() - timedelta(hours=IDEMPOTENCY_HOURS.get())
    )
    while keys := list(stale.values_list("pk", flat=True)[:_BATCH]):
        removed["idempotent_responses"] += IdempotentResponse.objects.filter(pk__in=keys).delete()[0]
    ended = Job.objects.filter(
        status__in=[JobStatus.COMPLETED, JobStatus.FAILED],
        finished_at__lt=now() - timedelta(days=JOB_DAYS.get()),
    )
    while ids := list(ended.values_list("pk", flat=True)[:_BATCH]):
        removed["jobs"] += Job.objects.filter(pk__in=ids).delete()[0]
    return removed
