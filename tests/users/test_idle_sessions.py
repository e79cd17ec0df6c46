"""Sessions that nobody uses."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client

from apps.audit.models import AuditEntry
from apps.core import knobs
from apps.core.clock import now
from apps.core.knobs import UNSET
from tests.factories import make_staff
from tests.surfaces.platform.calling import USERS
from tests.users.support import sign_in

pytestmark = pytest.mark.django_db


class FiveMinutes:
    def value(self, name: str, tenant_id: object) -> object:
        del tenant_id
        return 5 if name == "global.session_idle_minutes" else UNSET


def last_used(minutes: float) -> None:
    UserSession.objects.update(last_seen_at=now() - timedelta(minutes=minutes))


@pytest.fixture
def signed_in(client: Client) -> Client:
    sign_in(client, make_staff("admin"))
    assert client.get(USERS).status_code == 200
    return client


def test_session_used_within_the_time_goes_on(signed_in: Client) -> None:
    for _ in range(3):
        last_used(29)
        assert signed_in.get(USERS).status_code == 200


def test_session_unused_for_longer_ends_with_its_rows_and_is_in_the_trail(signed_in: Client) -> None:
    last_used(30.1)
    assert signed_in.get(USERS).status_code == 401
    assert not UserSession.objects.exists()
    assert not Session.objects.exists()
    assert AuditEntry.objects.filter(action="auth.session_idle").count() == 1
    assert signed_in.get(USERS).status_code == 401


def test_the_knob_says_how_long(signed_in: Client) -> None:
    before = knobs.source()
    last_used(6)
    knobs.provide(FiveMinutes())
    try:
        assert signed_in.get(USERS).status_code == 401
    finally:
        knobs.provide(before)


def test_session_in_use_is_noted_once_a_minute_and_not_at_each_request(signed_in: Client) -> None:
    last_used(0.5)
    seen = UserSession.objects.get().last_seen_at
    assert signed_in.get(USERS).status_code == 200
    assert UserSession.objects.get().last_seen_at == seen
    last_used(1.5)
    assert signed_in.get(USERS).status_code == 200
    assert now() - UserSession.objects.get().last_seen_at < timedelta(minutes=1)


def test_session_without_its_row_gets_it_again(signed_in: Client) -> None:
    UserSession.objects.all().delete()
    assert signed_in.get(USERS).status_code == 200
    assert UserSession.objects.count() == 1
