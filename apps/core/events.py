"""Upward effects: a write publishes, apps above subscribe with a job. Delivered once for each (event, job)."""

from apps.core.jobs.queueing import Order

_subscriptions: dict[str, list[str]] = {}


def subscribe(event: str, *, job: str) -> None:
    """`subscribe("tenant.suspended", job="users.end_sessions")`, in the `apps.py` of the one who listens.

    The job gets the event's payload as arguments, after the write has committed.
    """
    jobs = _subscriptions.setdefault(event, [])
    if job not in jobs:
        jobs.append(job)


def orders_for(event: str, payload: dict[str, object], *, event_id: str) -> list[Order]:
    """The jobs that an event causes; their keys make a repeated delivery harmless."""
    return [
        Order(name=name, args=dict(payload), unique_key=f"event:{event_id}:{name}")
        for name in _subscriptions.get(event, [])
    ]
