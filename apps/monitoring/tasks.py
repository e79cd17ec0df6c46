"""Polling and tidying."""

from datetime import timedelta
from typing import Any

from apps.core.jobs.registry import Run, job
from apps.monitoring import services


@job(services.POLL_JOB, every=timedelta(seconds=10), max_attempts=1)
def poll(run: Run) -> dict[str, Any]:
    """Asks the sources that are due. Killed half-way, what was claimed and not asked is due an interval later."""
    return {"polled": services.poll_due(actor=run.actor)}


@job("monitoring.forget_samples", every=timedelta(hours=1))
def forget_samples(run: Run) -> dict[str, Any]:
    """Killed half-way, the next hour's run goes on."""
    return {"removed": services.forget_samples()}
