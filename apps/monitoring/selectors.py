"""What the sources amount to now, from the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from apps.core.clock import iso, now
from apps.monitoring.enums import SourceStatus
from apps.monitoring.models import HealthSource
from apps.monitoring.verdicts import is_stale, overall


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of an uptime bar: how many answers, and how many of them were good."""

    start: datetime
    answers: int
    good: int


def present_status(row: HealthSource, moment: datetime) -> str:
    """The status now: unknown where the source was not polled for too long (apps.monitoring.verdicts)."""
    stale = is_stale(
        row.last_checked_at,
        interval_seconds=row.interval_seconds,
        timeout_seconds=row.timeout_seconds,
        moment=moment,
    )
    return SourceStatus.UNKNOWN.value if stale else str(row.status)


def aggregate() -> dict[str, Any]:
    """Every source and the whole. Source: contracts/service.md, section 4."""
    moment = now()
    rows = [(row, present_status(row, moment)) for row in HealthSource.objects.all()]
    return {
        "overall": overall((status, row.critical) for row, status in rows).value,
        "services": [_service(row, status) for row, status in rows],
        "cachedAt": iso(moment),
    }


def _service(row: HealthSource, status: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "serviceId": row.service_id,
        "status": status,
        "lastChecked": iso(row.last_checked_at) if row.last_checked_at else None,
        "latencyMs": row.latency_ms,
    }
    if status == SourceStatus.UNKNOWN:
        found["message"] = (
            "It was never polled." if row.last_checked_at is None else "It was not polled lately."
        )
    elif row.message:
        found["message"] = row.message
    return found


def uptime(source_ids: Sequence[UUID], *, pieces: int, minutes: int) -> Mapping[UUID, list[Span]]:
    """For each source its last `pieces` spans of `minutes`, oldest first; an empty one has no answers."""
    length = timedelta(minutes=minutes)
    last = datetime.fromtimestamp(
        now().timestamp() // length.total_seconds() * length.total_seconds(), tz=now().tzinfo
    )
    starts = [last - length * back for back in reversed(range(pieces))]
    counted: dict[tuple[UUID, datetime], tuple[int, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT source_id, date_bin(%s::interval, at, %s) AS start, count(*), count(*) FILTER (WHERE is_good) "
            "FROM monitoring_sample WHERE source_id = ANY(%s) AND at >= %s GROUP BY 1, 2",
            [f"{minutes} minutes", last, list(source_ids), starts[0]],
        )
        for source_id, start, answers, good in cursor.fetchall():
            counted[source_id, start] = (answers, good)
    return {
        source_id: [Span(start, *counted.get((source_id, start), (0, 0))) for start in starts]
        for source_id in source_ids
    }
