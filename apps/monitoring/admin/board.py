"""The board: the verdict on the whole, and a card for each source."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.cache import cache
from redis.exceptions import RedisError

from apps.backoffice import cells
from apps.core.clock import now
from apps.monitoring import knobs, selectors
from apps.monitoring.admin import charts, looks
from apps.monitoring.admin.looks import Look
from apps.monitoring.enums import SourceStatus
from apps.monitoring.models import HealthSource
from apps.monitoring.verdicts import overall

DAY_MINUTES = 1440
_REMEMBERED_SECONDS = 60
MONTH_DAYS = 30
WEEK_DAYS = 7


@dataclass(frozen=True, slots=True)
class Window:
    """A choice of how far back the bars look."""

    name: str
    title: str
    pieces: int
    minutes: int
    unit: str


_DAY = Window("24h", "Last 24 hours", 24, 60, "hour")
_WEEK = Window("7d", "Last 7 days", WEEK_DAYS, DAY_MINUTES, "day")
_MONTH = Window("30d", "Last 30 days", MONTH_DAYS, DAY_MINUTES, "day")


@dataclass(frozen=True, slots=True)
class Card:
    source: HealthSource
    look: Look
    url: str
    said: str
    address: str
    checked: cells.Cell
    latency: cells.Cell
    bar: charts.Uptime


@dataclass(frozen=True, slots=True)
class Choice:
    title: str
    url: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Board:
    """`idle`: nothing has been polled for too long, so that the workers are to blame and not the sources."""

    look: Look
    reason: str
    counts: Sequence[tuple[str, str]]
    cards: Sequence[Card]
    at: datetime
    idle: bool


def windows() -> list[Window]:
    """As far back as answers are kept."""
    return [_DAY, _WEEK, *([_MONTH] if knobs.SAMPLE_DAYS.get() > WEEK_DAYS else [])]


def chosen(name: str) -> Window:
    return next((known for known in windows() if known.name == name), _DAY)


def choices(window: Window, term: str) -> list[Choice]:
    """The links that choose a window, with what was searched for."""
    return [Choice(known.title, _query(known, term), known.name == window.name) for known in windows()]


def _query(window: Window, term: str) -> str:
    return "?" + urlencode({"span": window.name, **({"q": term} if term else {})})


def board(rows: Sequence[HealthSource], window: Window, url: Any) -> Board:
    """Of all sources that are shown; `url(row)` is the address of a source's page."""
    moment = now()
    status = {row.id: selectors.present_status(row, moment) for row in rows}
    spans = _spans([row.id for row in rows], window)
    order = sorted(
        rows, key=lambda row: (looks.of_status(status[row.id]).rank, not row.critical, row.service_id)
    )
    verdict = overall((status[row.id], row.critical) for row in rows)
    counted = Counter(status.values())
    told = [
        (f"{counted[each]} {looks.of_status(each).word}", looks.of_status(each).tone)
        for each in (
            SourceStatus.UNHEALTHY,
            SourceStatus.DEGRADED,
            SourceStatus.UNKNOWN,
            SourceStatus.HEALTHY,
        )
        if counted[each]
    ]
    polled = [row for row in rows if row.last_checked_at is not None]
    return Board(
        look=looks.of_whole(verdict),
        reason=_reason(order, status),
        counts=told,
        cards=[_card(row, status[row.id], spans[row.id], window, url(row), moment) for row in order],
        at=moment,
        idle=bool(polled) and all(status[row.id] == SourceStatus.UNKNOWN for row in polled),
    )


def _reason(order: Sequence[HealthSource], status: dict[UUID, str]) -> str:
    """Why the verdict is what it is; apps.monitoring.verdicts has the rule."""
    critical = [row.service_id for row in order if row.critical and status[row.id] == SourceStatus.UNHEALTHY]
    if critical:
        return f"{_names(critical)} {'is' if len(critical) == 1 else 'are'} critical and down."
    troubled = [
        f"{row.service_id} is {looks.of_status(status[row.id]).word}"
        for row in order
        if status[row.id] in {SourceStatus.UNHEALTHY, SourceStatus.DEGRADED}
        or (row.critical and status[row.id] == SourceStatus.UNKNOWN)
    ]
    if troubled:
        return f"{_names(troubled)}; nothing critical is down."
    silent = sum(found == SourceStatus.UNKNOWN for found in status.values())
    if silent:
        return f"Nothing is known of {silent} that {'is' if silent == 1 else 'are'} not critical."
    return "Every source answers."


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _card(
    row: HealthSource,
    status: str,
    spans: Sequence[selectors.Span],
    window: Window,
    url: str,
    moment: datetime,
) -> Card:
    return Card(
        source=row,
        look=looks.of_status(status),
        url=url,
        said=looks.said(row, moment),
        address=looks.address(row),
        checked=cells.instant(row.last_checked_at) if row.last_checked_at else "never",
        latency=cells.NOTHING if row.latency_ms is None else f"{row.latency_ms:,} ms",
        bar=charts.uptime(spans, title=window.title, unit=window.unit),
    )


def _spans(source_ids: Sequence[UUID], window: Window) -> dict[UUID, list[selectors.Span]]:
    """Those of days are remembered for a minute: the page is read anew every ten seconds, and days move slowly."""
    if window is _DAY or not source_ids:
        return dict(selectors.uptime(source_ids, pieces=window.pieces, minutes=window.minutes))
    key = f"monitoring:bars:{window.name}"
    try:
        kept: dict[UUID, list[selectors.Span]] = cache.get(key) or {}
    except (RedisError, OSError):
        kept = {}
    if kept.keys() >= set(source_ids):
        return kept
    found = dict(selectors.uptime(source_ids, pieces=window.pieces, minutes=window.minutes))
    try:
        cache.set(key, found, timeout=_REMEMBERED_SECONDS)
    except (RedisError, OSError):
        return found
    return found
