"""Clocks of processes that differ, and one that jumps back. PostgreSQL's clock is the one that all share."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db.models.functions import Now

from apps.audit.models import AuditEntry
from apps.audit.verification import verify_all
from apps.core import attempts
from apps.core.attempts import By, Rule
from apps.core.clock import now
from apps.core.enums import JobStatus
from apps.core.jobs import runner, schedules, sweeper
from apps.core.models import FailedAttempt, IdempotentResponse, Job
from apps.core.write import Target, unit, write
from apps.core.write.idempotency import Scope, StoredResponse, claim, store
from tests.factories import actor

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

AHEAD, BEHIND = timedelta(minutes=5), timedelta(minutes=-5)


def shifted(by: timedelta) -> time_machine.travel:
    """A process whose clock differs."""
    return time_machine.travel(datetime.now(UTC) + by)


def order(job: str = "core.sweep_objects") -> Job:
    with write("clocks.order", actor=actor(), target=Target(type="clock", id="1")) as w:
        w.enqueue(job)
    return Job.objects.get()


@pytest.mark.parametrize(("web", "worker"), [(AHEAD, BEHIND), (BEHIND, AHEAD)], ids=["ahead", "behind"])
def test_job_ordered_by_a_web_whose_clock_differs_runs_at_once(web: timedelta, worker: timedelta) -> None:
    with shifted(web):
        row = order()
    with shifted(worker):
        runner.run(str(row.id))
    row.refresh_from_db()
    assert row.status == JobStatus.COMPLETED


def test_job_ordered_by_a_web_whose_clock_differs_is_announced_at_once_and_swept_in_time() -> None:
    with shifted(AHEAD):
        row = order()
    assert row.dispatched_at is not None
    Job.objects.update(dispatched_at=Now() - timedelta(seconds=31))
    with shifted(BEHIND):
        assert sweeper.sweep() == 1


def test_clock_that_jumps_back_between_two_writes_leaves_the_chain_valid_in_its_order() -> None:
    for number, by in enumerate((AHEAD, BEHIND, timedelta(0))):
        with (
            shifted(by),
            write("clocks.write", actor=actor(), target=Target(type="clock", id=str(number))),
        ):
            pass
    rows = list(AuditEntry.objects.filter(action="clocks.write").order_by("seq"))
    assert [row.resource_id for row in rows] == ["0", "1", "2"]
    assert rows[1].at < rows[2].at < rows[0].at
    assert all(report.broken is None for report in verify_all())


def test_stored_answer_is_kept_a_day_by_the_clock_of_postgresql_whatever_ours_says() -> None:
    scope = Scope("platform", "", "someone", "POST", "route", uuid.uuid4().hex)
    with unit():
        store(scope, b"p" * 32, StoredResponse(201, {}, b"{}"))
    for by in (timedelta(hours=30), timedelta(hours=-30)):
        with shifted(by):
            sweeper.purge_old()
            with unit():
                assert claim(scope, b"p" * 32) is not None
    IdempotentResponse.objects.update(completed_at=Now() - timedelta(hours=25))
    with shifted(timedelta(hours=-30)), unit():
        assert claim(scope, b"p" * 32) is None


def test_schedulers_whose_clocks_differ_start_each_slot_once() -> None:
    moment = datetime(2026, 5, 1, 10, 58, tzinfo=UTC)
    for minutes in range(0, 130, 2):
        for by in (AHEAD, timedelta(0), BEHIND):
            with time_machine.travel(moment + timedelta(minutes=minutes) + by, tick=False):
                schedules.start_due("core.purge_old")
    keys = sorted(filter(None, Job.objects.values_list("unique_key", flat=True)))
    first = schedules.slot(moment, timedelta(hours=1))
    assert keys == [f"schedule:core.purge_old:{first + number}" for number in range(4)]


def test_clock_that_ran_wild_locks_nobody_out_once_it_is_right_again() -> None:
    rules = [
        Rule(By.PAIR, 2, timedelta(minutes=10)),
        Rule(By.ACCOUNT, 2, timedelta(minutes=10), timedelta(hours=1)),
    ]
    account = attempts.account_key("somebody@example.com")
    with shifted(timedelta(days=300)):
        for _ in range(2):
            attempts.failed("sign-in", rules=rules, account=account, address="192.0.2.1")
        with pytest.raises(attempts.TooManyAttempts):
            attempts.begin("sign-in", rules=rules, account=account, address="192.0.2.1")
    attempts.begin("sign-in", rules=rules, account=account, address="192.0.2.1")
    assert FailedAttempt.objects.filter(at__lt=now()).count() == 1


def test_lock_out_by_a_web_whose_clock_is_ahead_holds_and_ends() -> None:
    rules = [Rule(By.PAIR, 2, timedelta(minutes=10))]
    account = attempts.account_key("somebody@example.com")
    with shifted(AHEAD):
        for _ in range(2):
            attempts.failed("sign-in", rules=rules, account=account, address="192.0.2.1")
    with pytest.raises(attempts.TooManyAttempts) as refused:
        attempts.begin("sign-in", rules=rules, account=account, address="192.0.2.1")
    assert refused.value.retry_after <= 15 * 60 + 1
    with shifted(timedelta(minutes=16)):
        attempts.begin("sign-in", rules=rules, account=account, address="192.0.2.1")
