"""Changes to come."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, transaction

from apps.approvals.errors import ApprovalRequired
from apps.approvals.services import Pending, approve_request
from apps.core.clock import iso, now
from apps.core.errors import Unavailable
from apps.core.ids import new_id
from apps.core.models import Job
from apps.core.principal import Principal, PrincipalKind
from apps.flags import services
from apps.flags.errors import FlagInvalid, ScheduleNotFound, ScheduleOver
from apps.flags.models import Flag, FlagChange, ScheduledChange
from apps.flags.services.approved import change
from apps.flags.services.schedule import APPLY_JOB
from tests.factories import actor, make_flag, staff_principal

pytestmark = pytest.mark.django_db

AUTHOR = Principal(kind=PrincipalKind.STAFF, id="usr_author", via="platform")


def due(**change: object) -> ScheduledChange:
    """A scheduled change whose time has come."""
    row = services.schedule_change(actor=AUTHOR, key="checkout", at=now() + timedelta(hours=1), change=change)
    ScheduledChange.objects.filter(pk=row.pk).update(at=now() - timedelta(seconds=1))
    return row


def test_a_change_is_made_once_in_its_authors_name() -> None:
    make_flag()
    row = due(defaultEnabled=True)
    job = Job.objects.get(name=APPLY_JOB)
    assert (job.args, Principal.from_json(job.actor).id) == ({"schedule_id": str(row.id)}, AUTHOR.id)
    assert job.run_at > now()
    for _ in range(2):
        services.apply_scheduled(actor=Principal.from_json(job.actor), schedule_id=row.id)
    flag = Flag.objects.get()
    assert (flag.default_enabled, flag.version) == (True, 2)
    assert list(FlagChange.objects.values_list("changed_by", "version")) == [("usr_author", 2)]
    row.refresh_from_db()
    assert row.status == "applied"


def test_a_change_is_not_made_before_its_time_and_its_job_tries_again() -> None:
    make_flag()
    row = services.schedule_change(
        actor=AUTHOR, key="checkout", at=now() + timedelta(hours=1), change={"defaultEnabled": True}
    )
    with pytest.raises(Unavailable):
        services.apply_scheduled(actor=AUTHOR, schedule_id=row.id)
    assert Flag.objects.get().default_enabled is False
    row.refresh_from_db()
    assert row.status == "pending"


def test_a_change_that_can_not_be_made_any_longer_says_why() -> None:
    make_flag()
    row = due(defaultEnabled=True)
    services.archive_flag(actor=actor(), key="checkout")
    services.apply_scheduled(actor=AUTHOR, schedule_id=row.id)
    row.refresh_from_db()
    assert row.status == "failed"
    assert row.error is not None
    assert row.error["code"] == "ADM_FLAG_ARCHIVED"


def test_a_change_that_was_taken_back_is_not_made() -> None:
    make_flag()
    row = due(defaultEnabled=True)
    services.cancel_scheduled(actor=actor(), key="checkout", schedule_id=row.id)
    services.apply_scheduled(actor=AUTHOR, schedule_id=row.id)
    assert Flag.objects.get().default_enabled is False
    with pytest.raises(ScheduleOver):
        services.cancel_scheduled(actor=actor(), key="checkout", schedule_id=row.id)
    with pytest.raises(ScheduleNotFound):
        services.cancel_scheduled(actor=actor(), key="checkout", schedule_id=new_id())


@pytest.mark.django_db(transaction=True)
def test_who_cancels_a_change_that_is_just_made_waits_and_is_not_waited_for() -> None:
    make_flag()
    row = due(defaultEnabled=True)
    found: list[str] = []

    def make() -> None:
        try:
            found.append(services.apply_scheduled(actor=AUTHOR, schedule_id=row.id).status)
        finally:
            connection.close()

    making = threading.Thread(target=make)
    with transaction.atomic():
        # As whoever cancels: the flag first, then the change.
        Flag.objects.select_for_update().get()
        making.start()
        deadline = time.monotonic() + 60
        while not waiting_for_a_lock():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert ScheduledChange.objects.select_for_update(nowait=True).get() == row
    making.join(timeout=60)
    assert found == ["applied"]


def waiting_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees what it saw first
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock')"
        )
        return bool(cursor.fetchone()[0])


def test_what_makes_no_sense_is_refused_when_it_is_scheduled() -> None:
    make_flag()
    ahead = now() + timedelta(hours=1)
    with pytest.raises(FlagInvalid):
        services.schedule_change(actor=AUTHOR, key="checkout", at=ahead, change={"offVariation": "blue"})
    with pytest.raises(FlagInvalid):
        services.schedule_change(actor=AUTHOR, key="checkout", at=ahead, change={"tags": ["a", "a"]})
    make_flag("needing", prerequisites=[{"key": "checkout", "variation": "on"}])
    coloured = {"type": "string", "variations": [{"key": "red", "value": "r"}, {"key": "off", "value": ""}]}
    with pytest.raises(FlagInvalid) as refused:
        services.schedule_change(actor=AUTHOR, key="checkout", at=ahead, change=coloured)
    assert refused.value.details == {"variations": ["needing asks for the variation 'on' of this flag."]}
    with pytest.raises(FlagInvalid):
        services.schedule_change(actor=AUTHOR, key="checkout", at=ahead, change={})
    with pytest.raises(FlagInvalid):
        services.schedule_change(actor=AUTHOR, key="checkout", at=now(), change={"defaultEnabled": True})


def test_a_change_that_a_second_person_agreed_to_is_made_without_asking_again() -> None:
    make_flag(needs_approval=True)
    asking, deciding = staff_principal("super_admin"), staff_principal("super_admin")
    arguments = {"at": iso(now() + timedelta(hours=1)), "change": {"defaultEnabled": True}}
    outcome = change("schedule", actor=asking, key="checkout", arguments=arguments)
    assert isinstance(outcome, Pending)
    approve_request(actor=deciding, request_id=outcome.request.id)
    row = ScheduledChange.objects.get()
    ScheduledChange.objects.update(at=now() - timedelta(seconds=1))
    services.apply_scheduled(actor=asking, schedule_id=row.id)
    assert Flag.objects.get().default_enabled is True


def test_a_change_that_was_scheduled_before_its_flag_needed_a_second_person_is_not_made() -> None:
    make_flag()
    row = due(defaultEnabled=True)
    Flag.objects.update(needs_approval=True)
    services.apply_scheduled(actor=AUTHOR, schedule_id=row.id)
    assert Flag.objects.get().default_enabled is False
    row.refresh_from_db()
    assert (row.status, (row.error or {})["code"]) == ("failed", ApprovalRequired.code)
