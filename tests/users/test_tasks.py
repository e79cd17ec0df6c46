"""The hourly clean-up of sign-in's leftovers."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session

from apps.core.clock import now
from apps.core.jobs.queueing import Order, insert
from apps.core.jobs.runner import run
from apps.core.models import Job
from apps.core.principal import system
from tests.factories import make_user
from tests.users.support import open_session

pytestmark = pytest.mark.django_db


def test_sessions_that_are_over_go_and_live_ones_stay() -> None:
    user = make_user()
    live, over, gone = (open_session(user) for _ in range(3))
    Session.objects.filter(session_key=over).update(expire_date=now() - timedelta(minutes=1))
    Session.objects.filter(session_key=gone).delete()
    (job,) = insert([Order(name="users.prune")], actor=system("test"), request_id="")
    run(str(job.id))
    assert Job.objects.get(pk=job.pk).status == "completed"
    assert list(Session.objects.values_list("session_key", flat=True)) == [live]
    assert list(UserSession.objects.values_list("session_key", flat=True)) == [live]
