"""Exports over real processes: an RQ worker, and a job that is killed."""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from pytest_django import Settings

from apps.core.enums import JobStatus
from apps.core.jobs import runner, sweeper
from apps.core.models import Job
from apps.core.objectstore import ObjectStore
from apps.exports import services
from apps.exports.enums import ExportStatus
from apps.exports.models import Export
from tests.core.processes import command, python
from tests.factories import staff_principal

_RUN = """
import tests.exports.sample_kinds
from apps.core.jobs.runner import run
run({job!r})
"""


def eventually(true: Callable[[], bool], *, within: float = 60) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


@pytest.mark.django_db(transaction=True)
def test_rq_worker_makes_the_export(settings: Settings, objects: ObjectStore) -> None:
    asker = staff_principal("super_admin")
    export = services.request_export(actor=asker, kind="audit-trail")
    worker = command(
        [sys.executable, "-m", "django", "rqworker", "operator", "--burst"],
        OBJECT_STORE_ROOT=str(settings.OBJECT_STORE_ROOT),
    )
    try:
        said, _ = worker.communicate(timeout=150)
    finally:
        worker.kill()
    export.refresh_from_db()
    assert export.status == ExportStatus.READY, said
    assert export.rows == 1
    assert objects.stat(export.object_key).sha256 == export.sha256


@pytest.mark.faults
@pytest.mark.django_db(transaction=True)
def test_export_killed_in_the_middle_is_made_whole_by_the_next_run(
    settings: Settings, objects: ObjectStore
) -> None:
    export = services.request_export(
        actor=staff_principal("admin"), kind="tests.numbers", params={"number": 400, "pause": 0.01}
    )
    job = Job.objects.get(unique_key=export.job_key)

    def under_way(attempt: int) -> bool:
        row = Job.objects.get(id=job.id)
        return row.attempts == attempt and (row.progress or {}).get("done", 0) > 0

    for killed in (1, 2):
        process = python(_RUN.format(job=str(job.id)), OBJECT_STORE_ROOT=str(settings.OBJECT_STORE_ROOT))
        eventually(partial(under_way, killed))
        process.kill()
        process.wait(timeout=60)
        assert Export.objects.get().status == ExportStatus.PROCESSING
        assert list(objects.list()) == []
        # The lock of the dead went with its connection: the sweeper sends the job again at once.
        eventually(lambda: sweeper.sweep() > 0)
        Job.objects.filter(id=job.id).update(progress=None)
    runner.run(str(job.id))
    export.refresh_from_db()
    job.refresh_from_db()
    assert (export.status, export.rows) == (ExportStatus.READY, 400)
    assert (job.status, job.attempts) == (JobStatus.COMPLETED, 3)
    [stat] = objects.list()
    assert (stat.key, stat.sha256) == (export.object_key, export.sha256)
    with objects.open(export.object_key) as opened:
        assert b"".join(opened.chunks).count(b"\r\n") == 401
    assert Job.objects.filter(name="core.send_mail").count() == 1
    aside = Path(settings.OBJECT_STORE_ROOT) / ".aside"
    assert len(list(aside.iterdir())) <= 2  # what the dead left is swept after a day
