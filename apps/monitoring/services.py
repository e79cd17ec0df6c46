"""Registering sources, polling them, and forgetting old answers."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from apps.core.clock import now
from apps.core.errors import Invalid
from apps.core.observability.redaction import redact_text
from apps.core.outbound.guard import AddressRefused, NameUnresolved
from apps.core.principal import Principal
from apps.core.write import Target, Write, write
from apps.monitoring import knobs
from apps.monitoring.errors import SourceNotFound
from apps.monitoring.gateways.probe import Found, guard, probe
from apps.monitoring.models import HealthSample, HealthSource
from apps.monitoring.verdicts import after

POLL_JOB = "monitoring.poll"
# Each in a thread of its own: what is claimed is asked now, so it has answered or timed out before it is due again,
# and no slow source keeps another waiting.
_AT_ONCE = 50
_MOST_PER_RUN = 200
_BATCH = 5_000


def register_source(
    *,
    actor: Principal,
    service_id: str,
    url: str,
    interval_seconds: int | None = None,
    timeout_seconds: int | None = None,
    critical: bool | None = None,
    reason: str = "",
) -> tuple[HealthSource, bool]:
    """Adds a source, or changes the one of that service; what is None stays, or takes its default. (source, made)

    A new address is polled at once and begins as unknown.

    Raises:
        Invalid: the address can't be called, or is one that never may be; the time-out is longer than the interval.
    """
    _check(url)
    target = Target("health_source", service_id)
    with write("health_source.register", actor=actor, target=target, reason=reason) as w:
        # Two that register the same service at once: the second waits here and finds the row.
        HealthSource.objects.bulk_create(
            [HealthSource(service_id=service_id, url=url)], ignore_conflicts=True
        )
        row = HealthSource.objects.select_for_update().get(service_id=service_id)
        made = row.version == 0
        before = _told(row)
        if row.url != url:
            row.url, row.status, row.failures, row.successes = url, "unknown", 0, 0
            row.last_checked_at, row.latency_ms, row.message = None, None, ""
        given = {
            "interval_seconds": interval_seconds,
            "timeout_seconds": timeout_seconds,
            "critical": critical,
        }
        for name, value in given.items():
            if value is not None:
                setattr(row, name, value)
        if row.timeout_seconds > row.interval_seconds:
            raise Invalid(details={"timeoutSeconds": ["The time-out is at most the interval."]})
        row.version += 1
        row.due_at = row.updated_at = now()
        row.save()
        w.changed(before={} if made else before, after=_told(row))
    return row, made


def _check(url: str) -> None:
    try:
        guard().check(url)
    except AddressRefused as refused:
        raise Invalid(details={"url": [refused.message]}) from refused
    except NameUnresolved:
        # It may come to life later; what it resolves to is looked at with each poll.
        return


def _told(row: HealthSource) -> dict[str, object]:
    """For the trail, which holds no secret."""
    return {
        "url": redact_text(row.url),
        "interval_seconds": row.interval_seconds,
        "timeout_seconds": row.timeout_seconds,
        "critical": row.critical,
    }


def remove_source(*, actor: Principal, service_id: str, reason: str = "") -> None:
    """Forgets a source and its answers; the trail keeps what happened to it.

    Raises:
        SourceNotFound: there is none.
    """
    with _of_source("health_source.remove", actor=actor, service_id=service_id, reason=reason) as (w, row):
        w.changed(before=_told(row))
        row.delete()


def ask_at_once(*, actor: Principal, service_id: str, reason: str = "") -> None:
    """Has a worker poll a source now, whatever its interval; whoever asks doesn't wait for it.

    Raises:
        SourceNotFound: there is none.
    """
    with _of_source("health_source.ask", actor=actor, service_id=service_id, reason=reason) as (w, row):
        row.due_at = now()
        row.save(update_fields=["due_at"])
        w.enqueue(POLL_JOB)


@contextmanager
def _of_source(
    action: str, *, actor: Principal, service_id: str, reason: str
) -> Iterator[tuple[Write, HealthSource]]:
    """A change of a source, which is locked meanwhile."""
    with write(action, actor=actor, target=Target("health_source", service_id), reason=reason) as w:
        row = HealthSource.objects.select_for_update().filter(service_id=service_id).first()
        if row is None:
            raise SourceNotFound
        yield w, row


def poll_due(*, actor: Principal) -> int:
    """Asks every source that is due; how many. Two runs never ask the same one.

    A source is claimed by moving its next time on, so a worker that dies in between skips it once. Nothing is asked
    inside a transaction.
    """
    polled = 0
    while polled < _MOST_PER_RUN and (claimed := _claimed()):
        polled += len(claimed)
        with ThreadPoolExecutor(max_workers=len(claimed)) as pool:
            asked = {pool.submit(probe, row.url, timeout_seconds=row.timeout_seconds): row for row in claimed}
            for done in as_completed(asked):
                row = asked[done]
                record(actor=actor, source_id=row.id, url=row.url, found=done.result())
    return polled


def _claimed() -> Sequence[HealthSource]:
    with transaction.atomic():
        due = list(
            HealthSource.objects.select_for_update(skip_locked=True)
            .filter(due_at__lte=Now())
            .order_by("due_at")[:_AT_ONCE]
        )
        for row in due:
            row.due_at = Now() + timedelta(seconds=row.interval_seconds)
        HealthSource.objects.bulk_update(due, ["due_at"])
    return due


def record(*, actor: Principal, source_id: UUID, url: str, found: Found) -> None:
    """Notes an answer. What changes the status of a source stands in the trail, an answer alone doesn't.

    Does nothing where the source has gone, or was registered anew meanwhile.
    """
    row = HealthSource.objects.filter(id=source_id, url=url).first()
    if row is None:
        return
    before, version = row.status, row.version
    row.failures = 0 if found.is_good else row.failures + 1
    row.successes = row.successes + 1 if found.is_good else 0
    row.status = after(
        before,
        failures=row.failures,
        successes=row.successes,
        failure_threshold=row.failure_threshold,
        success_threshold=row.success_threshold,
    )
    row.last_checked_at, row.latency_ms, row.message = now(), found.latency_ms, found.message
    with suppress(_RegisteredAnew):
        if row.status == before:
            with transaction.atomic():
                _keep(row, version, found)
            return
        with write("health_source.status", actor=actor, target=row.audit_target()) as w:
            _keep(row, version, found)
            w.changed(before={"status": before}, after={"status": str(row.status)})
            w.note(message=row.message)
            w.publish("health.changed", service_id=row.service_id, status=str(row.status))


class _RegisteredAnew(Exception):
    """The answer is of an address that the source no longer has."""


def _keep(row: HealthSource, version: int, found: Found) -> None:
    fields = ("failures", "successes", "status", "last_checked_at", "latency_ms", "message")
    changed = HealthSource.objects.filter(id=row.id, version=version).update(
        **{name: getattr(row, name) for name in fields}
    )
    if not changed:
        raise _RegisteredAnew
    HealthSample.objects.create(
        source=row, at=row.last_checked_at or now(), is_good=found.is_good, latency_ms=found.latency_ms
    )


def forget_samples() -> int:
    """Deletes answers that are older than the knob says, in batches; how many."""
    total = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM monitoring_sample WHERE id = ANY(ARRAY(SELECT id FROM monitoring_sample "
                "WHERE at < now() - make_interval(days => %s) LIMIT %s))",
                [knobs.SAMPLE_DAYS.get(), _BATCH],
            )
            removed = int(cursor.rowcount)
            total += removed
            if removed < _BATCH:
                return total
