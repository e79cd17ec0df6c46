"""The core's own Celery tasks and jobs. Every app's tasks.py is imported when Django has loaded its apps."""

from datetime import timedelta
from typing import Any

from celery import shared_task

from apps.core import attempts
from apps.core.jobs import runner, schedules, sweeper
from apps.core.jobs.queueing import RUN_TASK
from apps.core.jobs.registry import Run, job
from apps.core.objectstore import store
from apps.core.outbound.messages import SEND_MAIL, deliver


@shared_task(name=RUN_TASK)
def run_job(job_id: str) -> None:
    runner.run(job_id)


@shared_task(name="apps.core.jobs.sweep")
def sweep() -> int:
    return sweeper.sweep()


@shared_task(name="apps.core.jobs.start_due")
def start_due(name: str) -> bool:
    return schedules.start_due(name)


@job("core.purge_old", every=timedelta(hours=1))
def purge_old(run: Run) -> dict[str, Any]:
    """Killed half-way, the next hour's run goes on."""
    return {**sweeper.purge_old(), "failed_attempts": attempts.prune()}


@job("core.sweep_objects", every=timedelta(days=1))
def sweep_objects(run: Run) -> dict[str, Any]:
    """Killed half-way, the next day's run goes on."""
    return {"removed": store().sweep()}


@job(SEND_MAIL, max_attempts=12)
def send_mail(run: Run, *, sealed: str) -> None:
    """Killed after the relay took the mail, it is sent once more under the same Message-ID."""
    deliver(job_id=run.id, sealed=sealed)
