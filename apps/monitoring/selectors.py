"""What the sources amount to now, from the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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


@dataclass(frozen=True, slots=True)
class Pace:
    """How long answers took in a span, in milliseconds; None where there were none."""

    start: datetime
    median: int | None = None
    slowest: int | None = None


def is_registered(service_id: str) -> bool:
    return HealthSource.objects.filter(service_id=service_id).exists()


def in_trouble(moment: datetime) -> list[tuple[HealthSource, str]]:
    """Sources that a person should look at, with their present status: not healthy, or not polled for too long.

    One that was registered a moment ago and waits for its first poll is none of them.
    """
    rows = [(row, present_status(row, moment)) for row in HealthSource.objects.all()]
    return [
        (row, status)
        for row, status in rows
        if status != SourceStatus.HEALTHY and (row.last_checked_at is not None or _is_forgotten(row, moment))
    ]


def _is_forgotten(row: HealthSource, moment: datetime) -> bool:
    return is_stale(
        row.updated_at,
        interval_seconds=row.interval_seconds,
        timeout_seconds=row.timeout_seconds,
        moment=moment,
    )


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
    starts = _starts(pieces, minutes)
    counted: dict[tuple[UUID, datetime], tuple[int, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT source_id, date_bin(%s::interval, at, %s) AS start, count(*), count(*) FILTER (WHERE is_good) "
            "FROM monitoring_sample WHERE source_id = ANY(%s) AND at >= %s GROUP BY 1, 2",
            [f"{minutes} minutes", starts[-1], list(source_ids), starts[0]],
        )
        for source_id, start, answers, good in cursor.fetchall():
            counted[source_id, start] = (answers, good)
    return {
        source_id: [Span(start, *counted.get((source_id, start), (0, 0))) for start in starts]
        for source_id in source_ids
    }


def paces(source_id: UUID, *, pieces: int, minutes: int) -> list[Pace]:
    """How long the source's answers took in its last `pieces` spans of `minutes`, oldest first."""
    starts = _starts(pieces, minutes)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT date_bin(%s::interval, at, %s) AS start, "
            "percentile_disc(0.5) WITHIN GROUP (ORDER BY latency_ms), max(latency_ms) FROM monitoring_sample "
            "WHERE source_id = %s AND at >= %s AND latency_ms IS NOT NULL GROUP BY 1",
            [f"{minutes} minutes", starts[-1], source_id, starts[0]],
        )
        found = {start: Pace(start, median, slowest) for start, median, slowest in cursor.fetchall()}
    return [found.get(start, Pace(start)) for start in starts]


def _starts(pieces: int, minutes: int) -> list[datetime]:
    """The beginnings of the last spans, the one that lasts at last; all at whole multiples since 1970 in UTC."""
    seconds = minutes * 60
    last = datetime.fromtimestamp(now().timestamp() // seconds * seconds, tz=UTC)
    return [last - timedelta(seconds=seconds * back) for back in reversed(range(pieces))]
