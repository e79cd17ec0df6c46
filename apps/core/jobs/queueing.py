"""Rows in, messages out."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from celery import current_app
from django.db import Error as DatabaseFailed
from django.db import connection
from django.db.models.functions import Now
from django_rq import get_queue
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from apps.core.clock import now
from apps.core.enums import JobEngine
from apps.core.ids import new_id
from apps.core.jobs.registry import job_type
from apps.core.models import Job
from apps.core.principal import Principal

log = structlog.get_logger(__name__)

RUN_TASK = "apps.core.jobs.run"
RQ_FUNCTION = "apps.core.jobs.runner.run"


@dataclass(frozen=True, slots=True)
class Order:
    """A job that a write asks for; it becomes a row when the write commits."""

    name: str
    args: dict[str, Any] = field(default_factory=dict)
    unique_key: str | None = None
    run_at: datetime | None = None
    tenant_id: UUID | None = None

    @property
    def is_due(self) -> bool:
        return self.run_at is None or self.run_at <= now()


def insert(orders: Iterable[Order], *, actor: Principal, request_id: str) -> list[Job]:
    """Writes the rows; an order whose `unique_key` exists already is left out. Called inside the write."""
    rows = []
    for order in orders:
        kind = job_type(order.name)
        # What is due at once is due by PostgreSQL's clock: ours may be ahead of the worker's.
        when = {} if order.run_at is None else {"run_at": order.run_at}
        rows.append(
            Job(
                id=new_id(),
                name=order.name,
                engine=kind.engine,
                queue=kind.queue,
                args=order.args,
                max_attempts=kind.max_attempts,
                unique_key=order.unique_key,
                actor=actor.to_json(),
                tenant_id=order.tenant_id,
                request_id=request_id,
                **when,
            )
        )
    Job.objects.bulk_create(rows, ignore_conflicts=True)
    written = set(Job.objects.filter(id__in=[row.id for row in rows]).values_list("id", flat=True))
    return [row for row in rows if row.id in written]


def wake(jobs: Iterable[Job]) -> int:
    """Tells the brokers of jobs, all of them due, and notes that it was said. Answers how many were told.

    A broker that is away is logged and no error: the row stands, and the sweeper sends it again. So it is with a
    database that went away since: what asked for the jobs is committed, and its caller must hear so.
    """
    told = []
    for row in jobs:
        try:
            send(row)
        except (OperationalError, RedisError, OSError) as away:
            log.warning("broker_away", job=str(row.id), name=row.name, error=type(away).__name__)
            break
        told.append(row.id)
    if told:
        try:
            Job.objects.filter(id__in=told).update(dispatched_at=Now())
        except DatabaseFailed as away:
            log.warning("dispatch_not_noted", jobs=len(told), error=type(away).__name__)
    return len(told)


def send(row: Job) -> None:
    """One message to the engine of the job: its id, nothing else."""
    if row.engine == JobEngine.CELERY:
        current_app.send_task(RUN_TASK, args=[str(row.id)], queue=row.queue, retry=False)
    else:
        get_queue(row.queue).enqueue(RQ_FUNCTION, str(row.id), result_ttl=0, failure_ttl=60)


def advisory_key(job_id: UUID) -> int:
    """The key of the lock that a running job holds: 64 bits of its id (its random part)."""
    return int.from_bytes(job_id.bytes[8:], "big", signed=True)


def is_running(job_id: UUID) -> bool:
    """True while a worker holds the job's lock: a killed worker's connection, and so its lock, is gone."""
    key = advisory_key(job_id) & 0xFFFFFFFFFFFFFFFF
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 "
            "AND classid::bigint = %s AND objid::bigint = %s AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database()))",
            [key >> 32, key & 0xFFFFFFFF],
        )
        row = cursor.fetchone()
    return bool(row and row[0])
