"""apps.core.jobs over a real database: claimed once, tried again, picked up, never lost."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now
from redis import Redis

from apps.core.clock import now
from apps.core.enums import JobEngine, JobStatus
from apps.core.jobs import queueing, runner, schedules, sweeper
from apps.core.jobs.queueing import Order
from apps.core.jobs.registry import job, job_type
from apps.core.models import Job
from apps.core.principal import Principal, PrincipalKind, system
from tests.core import sample_jobs
from tests.core.processes import in_threads, python

pytestmark = pytest.mark.django_db(transaction=True)

OPERATOR = Principal(
    kind=PrincipalKind.STAFF, id="usr_1", label="a@b.c", user_id=uuid.uuid4(), via="backoffice"
)


def _asked(name: str, *, actor: Principal = OPERATOR, key: str | None = None, **args: Any) -> Job:
    with transaction.atomic():
        (row,) = queueing.insert(
            [Order(name=name, args=args, unique_key=key)], actor=actor, request_id="req_1"
        )
    return row


def _later(row: Job) -> None:
    """Makes a pause be over."""
    Job.objects.filter(id=row.id).update(run_at=now() - timedelta(seconds=1))


def _messages(queue: str = "default") -> int:
    link = Redis.from_url(settings.REDIS_URL)
    try:
        return int(link.llen(queue if queue == "default" else f"rq:queue:{queue}"))
    finally:
        link.close()


def test_a_job_runs_with_its_arguments_its_actor_and_its_request() -> None:
    row = _asked("test.effect", topic="t")
    runner.run(str(row.id))
    row.refresh_from_db()
    assert row.status == JobStatus.COMPLETED
    assert row.result == {
        "attempt": 1,
        "actor": "usr_1",
        "via": "job",
        "system": False,
        "request_id": "req_1",
    }
    assert row.finished_at is not None
    assert row.error is None
    assert sample_jobs.count("t") == 1


def test_a_completed_job_does_not_run_again() -> None:
    row = _asked("test.effect", topic="t")
    for _ in range(3):
        runner.run(str(row.id))
    assert sample_jobs.count("t") == 1


def test_a_job_that_is_not_due_waits() -> None:
    row = _asked("test.effect", topic="t")
    Job.objects.filter(id=row.id).update(run_at=now() + timedelta(minutes=1))
    runner.run(str(row.id))
    row.refresh_from_db()
    assert (row.status, row.attempts, sample_jobs.count("t")) == (JobStatus.WAITING, 0, 0)
    Job.objects.filter(id=row.id).update(run_at=Now())
    runner.run(str(row.id))
    assert sample_jobs.count("t") == 1


def test_a_job_of_which_the_row_is_gone_does_nothing() -> None:
    runner.run(str(uuid.uuid4()))


def test_a_failing_job_is_tried_again_with_growing_pauses_and_then_fails() -> None:
    row = _asked("test.broken", topic="t")
    for attempt, pause in ((1, 2), (2, 8)):
        before = now()
        runner.run(str(row.id))
        row.refresh_from_db()
        assert (row.status, row.attempts, row.dispatched_at) == (JobStatus.WAITING, attempt, None)
        assert pause <= (row.run_at - before).total_seconds() < pause + 2
        runner.run(str(row.id))
        assert sample_jobs.count("t") == attempt
        _later(row)
    runner.run(str(row.id))
    row.refresh_from_db()
    assert (row.status, row.attempts) == (JobStatus.FAILED, 3)
    assert row.error is not None
    assert row.error["message"] == "RuntimeError: attempt 3"
    assert "sample_jobs.py" in row.error["stack_trace"]


def test_a_refusal_of_the_domain_ends_the_job_at_once() -> None:
    row = _asked("test.refused", topic="t")
    runner.run(str(row.id))
    row.refresh_from_db()
    assert (row.status, row.attempts) == (JobStatus.FAILED, 1)


def test_what_is_away_is_tried_again() -> None:
    row = _asked("test.away", topic="t")
    runner.run(str(row.id))
    row.refresh_from_db()
    assert (row.status, row.attempts) == (JobStatus.WAITING, 1)


def test_a_job_that_no_app_knows_fails_with_a_sentence() -> None:
    row = _asked("test.effect", topic="t")
    Job.objects.filter(id=row.id).update(name="gone.job")
    runner.run(str(row.id))
    row.refresh_from_db()
    assert row.status == JobStatus.FAILED
    assert row.error is not None
    assert "gone.job" in row.error["message"]


def test_arguments_that_the_function_does_not_take_fail_the_job_and_not_the_worker() -> None:
    row = _asked("test.effect", other=1)
    runner.run(str(row.id))
    row.refresh_from_db()
    assert row.status == JobStatus.WAITING
    assert row.error is not None
    assert "TypeError" in row.error["message"]


@pytest.mark.parametrize(
    ("what", "status", "words"),
    [
        ("error", JobStatus.FAILED, "NUL , half a pair ?, j***@acme.com, Bearer [redacted]"),
        ("object", JobStatus.FAILED, "TypeError"),
        ("nan", JobStatus.FAILED, "ValueError"),
        ("nul", JobStatus.COMPLETED, ""),
    ],
)
def test_an_end_that_can_not_be_stored_ends_the_job_all_the_same(
    what: str, status: JobStatus, words: str
) -> None:
    row = _asked("test.unstorable", what=what)
    runner.run(str(row.id))
    row.refresh_from_db()
    assert row.status == status
    assert words in (row.error["message"] if row.error else "")


def test_sixteen_workers_with_one_message_run_the_job_once() -> None:
    row = _asked("test.effect", topic="t", seconds=0.3)
    in_threads(16, lambda _: runner.run(str(row.id)))
    row.refresh_from_db()
    assert (row.status, row.attempts, sample_jobs.count("t")) == (JobStatus.COMPLETED, 1, 1)


def test_sixteen_workers_over_many_jobs_run_each_once() -> None:
    rows = [_asked("test.effect", topic=f"t{number}") for number in range(30)]

    def work(_: int) -> None:
        for row in rows:
            runner.run(str(row.id))

    in_threads(16, work)
    assert [sample_jobs.count(f"t{number}") for number in range(30)] == [1] * 30
    assert set(Job.objects.values_list("status", "attempts")) == {("completed", 1)}


def test_a_key_is_asked_for_once_even_by_sixteen_at_a_time() -> None:
    def ask(_: int) -> bool:
        with transaction.atomic():
            rows = queueing.insert(
                [Order(name="test.effect", args={"topic": "t"}, unique_key="k")],
                actor=OPERATOR,
                request_id="",
            )
        return bool(rows)

    assert sorted(in_threads(16, ask)) == [False] * 15 + [True]
    assert Job.objects.count() == 1


def test_a_job_whose_transaction_fails_never_was() -> None:
    with transaction.atomic():
        queueing.insert([Order(name="test.effect", args={"topic": "t"})], actor=OPERATOR, request_id="")
        transaction.set_rollback(True)
    assert not Job.objects.exists()


def test_a_worker_that_loses_its_connection_half_way_leaves_the_job_to_be_tried_again() -> None:
    row = _asked("test.cut", topic="t")
    runner.run(str(row.id))
    row.refresh_from_db()
    assert (row.status, row.attempts) == (JobStatus.WAITING, 1)
    _later(row)
    runner.run(str(row.id))
    row.refresh_from_db()
    assert (row.status, row.attempts, sample_jobs.count("t")) == (JobStatus.COMPLETED, 2, 2)


def test_progress_is_stored_while_it_runs() -> None:
    row = _asked("test.progress", topic="t")
    assert (row.engine, row.queue) == (JobEngine.RQ, "operator")
    runner.run(str(row.id))
    row.refresh_from_db()
    assert row.progress == {"done": 3, "total": 10, "note": "rows"}


def test_a_killed_worker_s_job_is_nobody_s_at_once_and_is_picked_up() -> None:
    row = _asked("test.effect", topic="t", seconds=60)
    worker = python(f"from apps.core.jobs import runner; runner.run('{row.id}')")
    try:
        _until(lambda: sample_jobs.count("t") == 1)
        assert queueing.is_running(row.id)
        assert sweeper.sweep() == 0
        runner.run(str(row.id))
        assert sample_jobs.count("t") == 1
    finally:
        worker.kill()
        worker.communicate()
    _until(lambda: not queueing.is_running(row.id))
    assert sweeper.sweep() == 1
    assert _messages() == 1
    Job.objects.filter(id=row.id).update(args={"topic": "t"})
    runner.run(str(row.id))
    row.refresh_from_db()
    assert (row.status, row.attempts, sample_jobs.count("t")) == (JobStatus.COMPLETED, 2, 2)


def test_a_job_that_kills_its_worker_each_time_ends_as_failed() -> None:
    row = _asked("test.effect", topic="t")
    Job.objects.filter(id=row.id).update(status=JobStatus.ACTIVE, attempts=5, started_at=now())
    assert sweeper.sweep() == 1
    runner.run(str(row.id))
    row.refresh_from_db()
    assert row.status == JobStatus.FAILED
    assert row.error is not None
    assert "died" in row.error["message"]


def test_a_worker_that_was_overtaken_changes_nothing() -> None:
    row = _asked("test.effect", topic="t")
    Job.objects.filter(id=row.id).update(status=JobStatus.ACTIVE, attempts=2, started_at=now())
    row.attempts = 1
    runner._end(row, JobStatus.FAILED, error={"message": "late", "stack_trace": ""})
    runner._fail(row, RuntimeError("late"))
    row.refresh_from_db()
    assert (row.status, row.attempts, row.error) == (JobStatus.ACTIVE, 2, None)


def test_due_jobs_are_sent_once_and_again_when_nobody_took_them() -> None:
    row = _asked("test.effect", topic="t")
    assert sweeper.sweep() == 1
    assert sweeper.sweep() == 0
    sent = Job.objects.filter(id=row.id)
    sent.update(dispatched_at=Now() - timedelta(seconds=31))
    assert sweeper.sweep() == 1
    assert _messages() == 2
    runner.run(str(row.id))
    sent.update(dispatched_at=Now() - timedelta(minutes=10))
    assert sweeper.sweep() == 0


def test_a_sweep_tells_each_engine() -> None:
    _asked("test.effect", topic="t")
    _asked("test.progress", topic="t")
    assert sweeper.sweep() == 2
    assert (_messages(), _messages("operator")) == (1, 1)


def test_a_broker_that_is_away_costs_seconds_and_loses_nothing() -> None:
    row = _asked("test.effect", topic="t")
    code = f"from apps.core.jobs import queueing, sweeper; print('sent', sweeper.sweep()); assert not {row.attempts}"
    process = python(code, REDIS_URL="redis://127.0.0.1:1/0")
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert "sent 0" in said
    assert "broker_away" in said
    row.refresh_from_db()
    assert (row.status, row.dispatched_at) == (JobStatus.WAITING, None)
    assert sweeper.sweep() == 1
    assert _messages() == 1


def test_a_slot_starts_once_under_sixteen_schedulers() -> None:
    started = in_threads(16, lambda _: schedules.start_due("test.hourly"))
    assert sorted(started) == [False] * 15 + [True]
    assert Job.objects.count() == 1


def test_the_next_slot_starts_again() -> None:
    with time_machine.travel("2026-05-01T10:00:00Z", tick=False) as clock:
        assert schedules.start_due("test.hourly")
        clock.shift(3599)
        assert not schedules.start_due("test.hourly")
        clock.shift(1)
        assert schedules.start_due("test.hourly")


def test_only_jobs_with_an_interval_repeat() -> None:
    assert schedules.repeating()["test.hourly"] == timedelta(hours=1)
    assert "test.effect" not in schedules.repeating()
    assert not schedules.start_due("test.effect")


def test_a_name_belongs_to_one_module() -> None:
    with pytest.raises(ValueError, match=r"test\.effect"):
        job("test.effect")(lambda run: None)  # noqa: ARG005  the protocol's name
    assert job_type("test.effect").handler is sample_jobs.effect


def test_old_rows_go_and_young_ones_stay() -> None:
    old, young, waiting = (_asked("test.effect", topic="t") for _ in range(3))
    for row in (old, young):
        runner.run(str(row.id))
    Job.objects.filter(id=old.id).update(finished_at=now() - timedelta(days=40))
    Job.objects.filter(id=waiting.id).update(created_at=now() - timedelta(days=40))
    assert sweeper.purge_old()["jobs"] == 1
    assert set(Job.objects.values_list("id", flat=True)) == {young.id, waiting.id}


def test_a_system_actor_is_one_inside_the_job() -> None:
    row = _asked("test.effect", topic="t", actor=system("scheduler"))
    runner.run(str(row.id))
    row.refresh_from_db()
    assert row.result is not None
    assert row.result["system"] is True


def test_no_lock_is_left_behind() -> None:
    for name in ("test.effect", "test.broken", "test.refused"):
        runner.run(str(_asked(name, topic="t").id))
    # Of a process that was killed a moment ago, PostgreSQL may not know yet.
    _until(lambda: _advisory_locks() == 0)


def _advisory_locks() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _until(true: Any, seconds: float = 60) -> None:
    end = now() + timedelta(seconds=seconds)
    while not true():
        assert now() < end, "it did not happen in time"
        connection.close_if_unusable_or_obsolete()
