"""Kill anything: no effect lost, none doubled, none without its audit row.

The short form; the long one raises STEWARD_KILLS.
"""

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from subprocess import Popen

import pytest
from django.db import connection

from apps.audit.models import AuditEntry
from apps.audit.verification import verify_all
from apps.core.enums import JobStatus
from apps.core.jobs import sweeper
from apps.core.models import Job, LiveTopic
from apps.core.write import Target, write
from tests.factories import actor
from tests.faults import processes

KILLS = int(os.environ.get("STEWARD_KILLS", "4"))

pytestmark = [
    pytest.mark.faults,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(60 + 30 * KILLS),
]


def order(job: str, count: int, seconds: float) -> None:
    with write("victims.order", actor=actor(), target=Target(type="victim", id="all")) as w:
        for number in range(count):
            w.enqueue(job, name=f"{job}-{number}", seconds=seconds)


def open_jobs(name: str) -> int:
    return Job.objects.filter(name=name).exclude(status=JobStatus.COMPLETED).count()


def assert_each_effect_once(job: str, count: int) -> None:
    keys = set(Job.objects.filter(name="victims.leaf").values_list("unique_key", flat=True))
    assert keys == {f"leaf:{job}-{number}" for number in range(count)}
    assert not Job.objects.filter(status=JobStatus.FAILED).exists()
    assert all(report.broken is None for report in verify_all())


def test_writer_killed_at_any_moment_leaves_effects_jobs_and_audit_rows_equal() -> None:
    for round_ in range(KILLS):
        with processes.running(
            partial(processes.start, "tests.faults.victims.writer", f"w{round_}")
        ) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
            time.sleep(0.05 + 0.037 * round_)
    effects = set(LiveTopic.objects.filter(name__startswith="w").values_list("name", flat=True))
    assert effects
    assert effects == set(
        AuditEntry.objects.filter(action="victim.write").values_list("resource_id", flat=True)
    )
    keys = set(Job.objects.filter(name="victims.leaf").values_list("unique_key", flat=True))
    assert keys == {f"leaf:{name}" for name in effects}
    assert all(report.broken is None for report in verify_all())
    assert locks_held() == 0


def locks_held() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
            "WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.pid <> pg_backend_pid()"
        )
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize(
    ("job", "worker"),
    [("victims.slow", processes.celery_worker), ("victims.slow_rq", processes.rq_worker)],
    ids=["celery", "rq"],
)
def test_worker_killed_in_the_middle_of_jobs_ends_with_each_effect_once(
    job: str, worker: "Callable[[], Popen[bytes]]"
) -> None:
    count = 3
    order(job, count, seconds=1.0)
    for round_ in range(KILLS):
        if not open_jobs(job):
            break
        with processes.running(worker):
            processes.until(
                lambda: Job.objects.filter(name=job, status=JobStatus.ACTIVE).exists() or not open_jobs(job),
                seconds=30,
                each=sweeper.sweep,
            )
            time.sleep(0.23 * (round_ + 1))
    with processes.running(worker):
        processes.until(lambda: not open_jobs(job), seconds=60, each=sweeper.sweep)
    assert Job.objects.filter(name=job, attempts__gt=1).exists()
    assert_each_effect_once(job, count)


def test_pool_child_killed_in_the_middle_of_a_job_ends_with_its_effect_once() -> None:
    count = 4
    order("victims.slow", count, seconds=1.0)
    killed = 0
    with processes.running(processes.celery_worker) as worker:
        while open_jobs("victims.slow"):
            processes.until(
                lambda: (
                    Job.objects.filter(name="victims.slow", status=JobStatus.ACTIVE).exists()
                    or not open_jobs("victims.slow")
                ),
                seconds=30,
                each=sweeper.sweep,
            )
            if killed < KILLS and (pool := processes.children(worker.pid)):
                time.sleep(0.2 * (killed + 1))
                os.kill(pool[0], signal.SIGKILL)
                killed += 1
            sweeper.sweep()
            time.sleep(0.2)
    assert killed
    assert Job.objects.filter(name="victims.slow", attempts__gt=1).exists()
    assert_each_effect_once("victims.slow", count)
