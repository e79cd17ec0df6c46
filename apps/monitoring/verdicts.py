"""What answers amount to: pure functions, no database.

A source: a first failure is noted and changes nothing; the second in a row makes it degraded, the third unhealthy. An
unhealthy one that answers well is degraded, and healthy after the second good answer in a row. One that was never
polled is unknown; its first good answer makes it healthy, its first failure degraded. Both numbers are the source's.

Not polled for three intervals and its time-out: unknown, whatever it was. That is stale, not down: the workers don't
poll, and nothing is known of the source.

The whole: unhealthy when a critical source is; degraded when any other is unhealthy, any is degraded, or a critical
one is unknown; else healthy. A source that is not critical and unknown counts for nothing.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from apps.monitoring.enums import Overall, SourceStatus

FAILURES = 3
SUCCESSES = 2
STALE_INTERVALS = 3


def after(
    status: str, *, failures: int, successes: int, failure_threshold: int, success_threshold: int
) -> SourceStatus:
    """The status after an answer; `failures` and `successes` are runs that include it, so one of them is 0."""
    if failures:
        if failures >= failure_threshold:
            return SourceStatus.UNHEALTHY
        if failures > 1 or status != SourceStatus.HEALTHY:
            return SourceStatus.UNHEALTHY if status == SourceStatus.UNHEALTHY else SourceStatus.DEGRADED
        return SourceStatus.HEALTHY
    if status == SourceStatus.UNKNOWN or successes >= success_threshold:
        return SourceStatus.HEALTHY
    return SourceStatus.HEALTHY if status == SourceStatus.HEALTHY else SourceStatus.DEGRADED


def is_stale(
    last_checked: datetime | None, *, interval_seconds: int, timeout_seconds: int, moment: datetime
) -> bool:
    """Whether too long ago to say anything; never is."""
    if last_checked is None:
        return True
    return moment - last_checked > timedelta(seconds=STALE_INTERVALS * interval_seconds + timeout_seconds)


def overall(sources: Iterable[tuple[str, bool]]) -> Overall:
    """Of (status, critical) of every source."""
    found = set(sources)
    if (SourceStatus.UNHEALTHY, True) in found:
        return Overall.UNHEALTHY
    worse = {(SourceStatus.UNHEALTHY, False), (SourceStatus.UNKNOWN, True)}
    worse |= {(SourceStatus.DEGRADED, True), (SourceStatus.DEGRADED, False)}
    return Overall.DEGRADED if found & worse else Overall.HEALTHY
