"""Celery: workers run what PostgreSQL's job table says (apps.core.jobs); the scheduler only ticks.

celery -A config.celery worker -Q default        celery -A config.celery beat
"""

import os
import sys
import threading
from datetime import UTC, datetime
from typing import Any

from celery import Celery
from celery.beat import Scheduler
from celery.signals import setup_logging, worker_init, worker_ready
from django.conf import settings
from django.utils.module_loading import import_string

from apps.core.observability.logs import configure

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("steward")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

_LONGEST_TICK = 60.0
_READY_SECONDS = 60.0
_ready = threading.Event()


@setup_logging.connect
def log_as_we_do(**_signal: Any) -> None:
    """Celery's own handlers stay away: every process writes the same lines."""
    configure(settings.LOGGING)


@worker_init.connect
def end_unless_ready(**_signal: Any) -> None:
    """A worker whose pool is killed while it starts hangs for ever in its own end: whoever started it must know."""
    threading.Thread(target=_wait_until_ready, name="ready-or-end", daemon=True).start()


def _wait_until_ready() -> None:
    if not _ready.wait(_READY_SECONDS):
        sys.stderr.write(
            f"The worker is not ready after {_READY_SECONDS:.0f} s: it ends, to be started again.\n"
        )
        sys.stderr.flush()
        os._exit(1)


@worker_ready.connect
def note_ready(**_signal: Any) -> None:
    _ready.set()


def beat_schedule() -> dict[str, dict[str, Any]]:
    """The sweep, and a tick for each repeating job (apps.core.jobs.schedules).

    A job ticks at least once a minute, however seldom it runs: the tick writes the present slot's run unless it
    stands already, so that a scheduler which was just restarted still starts the nightly jobs in time.
    """
    # Models can be imported only once Django has loaded its apps; this module is imported before.
    repeating = import_string("apps.core.jobs.schedules.repeating")
    ticks = {"sweep": _tick("apps.core.jobs.sweep", settings.JOB_SWEEP_SECONDS)}
    for name, every in repeating().items():
        seconds = min(every.total_seconds(), _LONGEST_TICK)
        ticks[name] = _tick("apps.core.jobs.start_due", seconds, name)
    return ticks


def _tick(task: str, seconds: float, *args: str) -> dict[str, Any]:
    # A tick that nobody took in time is worthless: the next one says the same.
    return {
        "task": task,
        "schedule": seconds,
        "args": args,
        "options": {"expires": max(seconds, 10.0)},
        # Due as soon as the scheduler starts.
        "last_run_at": datetime(2000, 1, 1, tzinfo=UTC),
    }


class SlotScheduler(Scheduler):
    """Keeps nothing on disk: what a slot has started stands in the job table."""

    def setup_schedule(self) -> None:
        self.update_from_dict(beat_schedule())
