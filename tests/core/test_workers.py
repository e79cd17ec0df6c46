"""Real Celery and RQ processes over the job table, killed half-way."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from subprocess import Popen, TimeoutExpired
from typing import Any

import pytest
import redis
from django.conf import settings

from apps.core.enums import JobStatus
from apps.core.jobs import sweeper
from apps.core.models import Job
from apps.core.principal import system
from apps.core.write import Target, write
from tests.core import sample_jobs
from tests.core.processes import command

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

CELERY = [sys.executable, "-m", "celery", "-A", "config.celery"]
WORKER = [
    *CELERY,
    "worker",
    "-c",
    "2",
    "-I",
    "tests.core.sample_jobs",
    "--without-gossip",
    "--without-mingle",
]
RQ = [
    sys.executable,
    "-c",
    """import django; django.setup()
import tests.core.sample_jobs
from django.core.management import call_command
call_command('rqworker', 'operator', burst=True)""",
]


@contextmanager
def _running(line: list[str]) -> Iterator["Popen[str]"]:
    process = command(line)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            said, _ = process.communicate(timeout=15)
        except TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
        sys.stdout.write(said)


def _enqueued(name: str, **args: Any) -> Job:
    with write("thing.make", actor=system("test"), target=Target(type="thing", id="thg_1")) as w:
        w.enqueue(name, **args)
    return Job.objects.latest("id")


def _until(true: Callable[[], bool], seconds: float = 80) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, list(Job.objects.values("name", "status", "attempts", "error"))
        time.sleep(0.05)


def _ended(row: Job) -> bool:
    row.refresh_from_db()
    return row.status in {JobStatus.COMPLETED, JobStatus.FAILED}


def _pid_of(row: Job) -> int:
    """The process that runs it says so by its progress."""
    row.refresh_from_db()
    return int(row.progress["done"]) if row.progress else 0


def test_celery_runs_what_a_write_asked_for_and_again_what_its_killed_child_left() -> None:
    with _running(WORKER):
        rows = [_enqueued("test.effect", topic=f"t{number}") for number in range(5)]
        _until(lambda: all(_ended(row) for row in rows))
        assert [sample_jobs.count(f"t{number}") for number in range(5)] == [1] * 5

        slow = _enqueued("test.slow", topic="slow", seconds=2)
        _until(lambda: _pid_of(slow) > 0)
        os.kill(_pid_of(slow), signal.SIGKILL)
        _until(lambda: _ended(slow) or sweeper.sweep() > 0)
        _until(lambda: _ended(slow))
        assert (slow.status, slow.attempts, sample_jobs.count("slow")) == (JobStatus.COMPLETED, 2, 2)


def test_a_killed_celery_worker_s_job_is_run_by_the_next_one() -> None:
    with _running(WORKER) as worker:
        slow = _enqueued("test.slow", topic="slow", seconds=60)
        _until(lambda: _pid_of(slow) > 0)
        os.kill(_pid_of(slow), signal.SIGKILL)
        worker.kill()
    Job.objects.filter(id=slow.id).update(args={"topic": "slow", "seconds": 0})
    with _running(WORKER):
        _until(lambda: _ended(slow) or sweeper.sweep() < 0)
    assert (slow.status, sample_jobs.count("slow")) == (JobStatus.COMPLETED, slow.attempts)


def test_rq_runs_what_a_write_asked_for() -> None:
    row = _enqueued("test.progress", topic="t")
    with _running(RQ) as worker:
        assert worker.wait(timeout=120) == 0
    assert _ended(row)
    assert (row.status, row.progress) == (JobStatus.COMPLETED, {"done": 3, "total": 10, "note": "rows"})


def test_the_scheduler_starts_repeating_jobs_and_sweeps_what_no_broker_was_told_of() -> None:
    left = _enqueued("test.effect", topic="left")
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    Job.objects.filter(id=left.id).update(dispatched_at=None)
    with _running(WORKER), _running([*CELERY, "beat", "--pidfile="]):
        _until(lambda: _ended(left) and _purged())
    assert sample_jobs.count("left") == 1


def _purged() -> bool:
    return Job.objects.filter(name="core.purge_old", status=JobStatus.COMPLETED).exists()
