"""How a status is told: a word, a sign and a colour, never the colour alone.

Source: contracts/backoffice.md, "Infrastructure" (healthy green, degraded yellow, down red, unknown grey).
"""

from dataclasses import dataclass
from datetime import datetime

from apps.core.observability.redaction import redact_text
from apps.monitoring.enums import Overall, SourceStatus
from apps.monitoring.models import HealthSource
from apps.monitoring.selectors import present_status


@dataclass(frozen=True, slots=True)
class Look:
    """`rank`: the worst first."""

    word: str
    tone: str
    icon: str
    rank: int


_STATUSES: dict[str, Look] = {
    SourceStatus.UNHEALTHY: Look("down", "red", "error", 0),
    SourceStatus.DEGRADED: Look("degraded", "orange", "warning", 1),
    SourceStatus.UNKNOWN: Look("unknown", "grey", "help", 2),
    SourceStatus.HEALTHY: Look("healthy", "green", "check_circle", 3),
}
_WHOLE: dict[str, Look] = {
    Overall.UNHEALTHY: Look("Unhealthy", "red", "error", 0),
    Overall.DEGRADED: Look("Degraded", "orange", "warning", 1),
    Overall.HEALTHY: Look("Healthy", "green", "check_circle", 3),
}


def of_status(status: str) -> Look:
    return _STATUSES[status]


def of_whole(verdict: str) -> Look:
    return _WHOLE[verdict]


def said(row: HealthSource, moment: datetime) -> str:
    """A sentence on what is wrong, empty where nothing is; stale is not down, and says so."""
    if present_status(row, moment) != SourceStatus.UNKNOWN:
        return row.message[:1].upper() + row.message[1:]
    if row.last_checked_at is None:
        return "Not polled yet: nothing is known of it."
    return f"Stale, not down: not polled lately, and {of_status(row.status).word} when it last was."


def address(row: HealthSource) -> str:
    """Where it is asked, without what looks like a secret in it."""
    return redact_text(row.url)
