"""Repeating jobs: the scheduler only ticks; the row, keyed by its slot of time, makes each run happen once."""

from datetime import datetime, timedelta

from django.db import transaction

from apps.core.clock import now
from apps.core.jobs.queueing import Order, insert, wake
from apps.core.jobs.registry import job_type, job_types
from apps.core.principal import system


def slot(moment: datetime, every: timedelta) -> int:
    """The number of the interval that `moment` lies in, counted from the epoch."""
    return int(moment.timestamp() // every.total_seconds())


def start_due(name: str) -> bool:
    """Writes the present slot's run of a repeating job. False when it stands already (a second scheduler).

    Raises:
        KeyError: no such job.
    """
    every = job_type(name).every
    if every is None:
        return False
    order = Order(name=name, unique_key=f"schedule:{name}:{slot(now(), every)}")
    with transaction.atomic():
        rows = insert([order], actor=system("scheduler"), request_id="")
    wake(rows)
    return bool(rows)


def repeating() -> dict[str, timedelta]:
    """Name and interval of every repeating job."""
    return {kind.name: kind.every for kind in job_types() if kind.every is not None}
