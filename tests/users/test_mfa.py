"""Codes: RFC 6238's own vectors, clocks, doubles."""

import base64
import threading
from datetime import UTC, datetime

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.db import connection

from apps.users import services
from apps.users.services.mfa import (
    MfaEnrolled,
    MfaNotEnrolled,
    code_at,
    matching_counter,
    new_secret,
    use_code,
)
from tests.factories import actor, make_staff, make_user
from tests.users.support import code, enrol

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
    ],
)
def test_codes_are_those_of_rfc_6238(second: int, expected: str) -> None:
    """Appendix B, SHA-1, the last six digits."""
    assert code_at(RFC_SECRET, second // 30) == expected
    with time_machine.travel(datetime.fromtimestamp(second, UTC), tick=False):
        assert matching_counter(RFC_SECRET, f" {expected[:3]} {expected[3:]}") == second // 30


def test_clocks_may_differ_by_one_step() -> None:
    secret = new_secret()
    with time_machine.travel(datetime(2026, 1, 1, 12, 0, 15, tzinfo=UTC), tick=False):
        present = int(datetime(2026, 1, 1, 12, 0, 15, tzinfo=UTC).timestamp()) // 30
        steps = [matching_counter(secret, code_at(secret, present + step)) for step in (-2, -1, 0, 1, 2)]
    assert steps == [None, present - 1, present, present + 1, None]


@pytest.mark.django_db
def test_an_app_is_set_up_once() -> None:
    user = make_staff()
    enrol(user)
    with pytest.raises(MfaEnrolled):
        services.enrol_totp(actor=actor(), user=user, secret=new_secret())
    assert Authenticator.objects.filter(user=user).count() == 2


@pytest.mark.django_db
def test_without_an_app_there_is_nothing_to_renew_or_reset() -> None:
    user = make_user()
    with pytest.raises(MfaNotEnrolled):
        services.renew_recovery_codes(actor=actor(), user=user)
    with pytest.raises(MfaNotEnrolled):
        services.reset_mfa(actor=actor(), user_id=user.pk, reason="lost")
    assert use_code(user, "123456") is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["totp", "recovery_codes"])
def test_of_two_who_send_the_same_code_at_once_one_is_refused(kind: str) -> None:
    user = make_staff()
    secret = enrol(user)
    given = code(secret)
    if kind == "recovery_codes":
        given = Authenticator.objects.get(user=user, type=kind).wrap().get_unused_codes()[0]
    outcomes: list[bool] = []
    gate = threading.Barrier(2)

    def send() -> None:
        gate.wait()
        outcomes.append(use_code(user, given) is not None)
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False, True]
