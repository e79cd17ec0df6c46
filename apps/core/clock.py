"""The one clock: aware, UTC."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant in UTC (microseconds)."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and `Z`, as every surface writes an instant."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
