"""The pages at /accounts/: who comes in, how, and what is left in the trail."""

from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth import get_user
from django.http import HttpRequest, HttpResponseBase
from django.test import Client
from pytest_django import Settings

from apps.audit.models import AuditEntry
from apps.core.clock import now
from apps.core.models import FailedAttempt
from apps.users import services
from apps.users.models import User
from tests.factories import actor, make_member, make_staff, make_tenant
from tests.factories.people import PASSWORD
from tests.users.support import code, detail, enrol, trail

pytestmark = pytest.mark.django_db

LOGIN = "/accounts/login/"
CODE = "/accounts/2fa/authenticate/"
WRONG = "The e-mail address or the password is wrong."


def submit(
    client: Client, email: str, password: str = PASSWORD, address: str = "203.0.113.10"
) -> HttpResponseBase:
    return client.post(LOGIN, {"login": email, "password": password}, REMOTE_ADDR=address)


def text(response: HttpResponseBase) -> str:
    return getattr(response, "content", b"").decode()


def who(client: Client) -> User | None:
    """Whom the session of this client belongs to, asked as a request would."""
    request = HttpRequest()
    request.session = client.session
    user = get_user(request)
    return user if isinstance(user, User) else None


def test_staff_come_in_with_their_password_in_any_case_of_the_address(client: Client) -> None:
    user = make_staff("support")
    response = submit(client, user.email.upper())
    assert response.status_code == 302
    assert response["Location"] == "/backoffice/"
    assert who(client) == user
    entry = trail("auth.sign_in")
    assert (entry.outcome, entry.actor_id, entry.via) == ("success", user.public_id, "accounts")
    assert entry.metadata == {"methods": ["password"]}
    assert detail(entry, "actor")["address"] == "203.0.113.10"
    assert UserSession.objects.get(user=user).ip == "203.0.113.10"


@pytest.mark.parametrize("known", [True, False])
def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client: Client, known: bool) -> None:
    email = make_staff().email if known else "nobody@people.example"
    response = submit(client, email, "not the password")
    assert response.status_code == 200
    assert WRONG in text(response)
    assert who(client) is None
    entry = trail("auth.sign_in")
    assert entry.outcome == "failure"
    assert detail(entry, "actor")["address"] == "203.0.113.10"


def test_a_tenants_own_user_gets_a_sentence_and_no_session(client: Client) -> None:
    owner = make_member(make_tenant(), "owner")
    response = submit(client, owner.email)
    assert "entrance for Steward&#x27;s own staff" in text(response)
    assert who(client) is None


@pytest.mark.parametrize(("field", "word"), [("suspended_at", "suspended"), ("blocked_at", "blocked")])
def test_the_stopped_get_a_sentence_only_with_the_right_password(
    client: Client, field: str, word: str
) -> None:
    user = make_staff("admin")
    User.objects.filter(pk=user.pk).update(**{field: now()})
    assert word in text(submit(client, user.email))
    assert word not in text(submit(client, user.email, "not the password"))
    assert who(client) is None


def test_staff_who_left_do_not_come_in(client: Client) -> None:
    user = make_staff("ops", is_active=False)
    submit(client, user.email)
    assert who(client) is None


def test_with_an_app_the_code_is_asked_for_and_opens_the_session(client: Client) -> None:
    user = make_staff()
    secret = enrol(user)
    response = submit(client, user.email)
    assert response["Location"] == CODE
    assert who(client) is None
    response = client.post(CODE, {"code": code(secret)})
    assert response["Location"] == "/backoffice/"
    assert who(client) == user
    assert trail("auth.sign_in").metadata == {"methods": ["password", "totp"]}


def test_a_code_counts_once(client: Client) -> None:
    user = make_staff()
    secret = enrol(user)
    submit(client, user.email)
    given = code(secret)
    client.post(CODE, {"code": given})
    again = Client()
    submit(again, user.email)
    assert "wrong, or was used" in text(again.post(CODE, {"code": given}))
    assert who(again) is None


# Not 2: that is 1 as soon as the next half minute begins.
@pytest.mark.parametrize("steps", [-2, 3])
def test_a_code_of_another_minute_is_refused(client: Client, steps: int) -> None:
    user = make_staff()
    secret = enrol(user)
    submit(client, user.email)
    client.post(CODE, {"code": code(secret, steps=steps)})
    assert who(client) is None
    entry = trail("auth.verify_code")
    assert (entry.outcome, entry.resource_id) == ("failure", user.public_id)


def test_a_recovery_code_signs_in_once(client: Client) -> None:
    user = make_staff()
    enrol(user)
    first = Authenticator.objects.get(user=user, type="recovery_codes").wrap().get_unused_codes()[0]
    submit(client, user.email)
    client.post(CODE, {"code": first})
    assert who(client) == user
    again = Client()
    submit(again, user.email)
    again.post(CODE, {"code": first})
    assert who(again) is None


def test_secrets_are_sealed_at_rest() -> None:
    user = make_staff()
    secret = enrol(user)
    kept = {row.type: row.data for row in Authenticator.objects.filter(user=user)}
    assert secret not in str(kept)
    codes = Authenticator.objects.get(user=user, type="recovery_codes").wrap()
    assert len(codes.generate_codes()) == 10
    assert kept["recovery_codes"]["seed"].startswith("U1RXM")  # STW1, in base64


def test_who_is_stopped_between_password_and_code_does_not_come_in(client: Client) -> None:
    make_staff()
    user = make_staff()
    secret = enrol(user)
    submit(client, user.email)
    services.suspend_user(actor=actor(), user_id=user.pk, reason="found out")
    response = client.post(CODE, {"code": code(secret)})
    assert response["Location"] == LOGIN
    assert who(client) is None


def test_a_revocation_between_password_and_code_asks_for_the_password_again(client: Client) -> None:
    user = make_staff()
    secret = enrol(user)
    submit(client, user.email)
    services.revoke_sessions(actor=actor(), user_id=user.pk)
    client.post(CODE, {"code": code(secret)})
    assert who(client) is None
    submit(client, user.email)
    client.post(CODE, {"code": code(secret, steps=1)})
    assert who(client) == user


@pytest.mark.parametrize(
    "stop",
    [
        lambda user: services.suspend_user(actor=actor(), user_id=user.pk, reason="found out"),
        lambda user: services.block_user(actor=actor(), user_id=user.pk, reason="found out"),
        lambda user: services.revoke_sessions(actor=actor(), user_id=user.pk),
        lambda user: services.set_staff_roles(actor=actor(), user_id=user.pk, roles=["ops"]),
        lambda user: services.deactivate_staff(actor=actor(), user_id=user.pk),
    ],
    ids=["suspend", "block", "revoke", "roles", "deactivate"],
)
def test_what_ends_sessions_counts_from_the_next_request(client: Client, stop: "object") -> None:
    user = make_staff("support")
    submit(client, user.email)
    key = client.session.session_key
    assert who(client) == user
    assert callable(stop)
    stop(user)
    assert who(client) is None
    assert not UserSession.objects.filter(session_key=key).exists()


def test_the_stamp_alone_ends_a_session_whose_row_is_not_listed(client: Client) -> None:
    user = make_staff("support")
    submit(client, user.email)
    UserSession.objects.all().delete()
    services.revoke_sessions(actor=actor(), user_id=user.pk)
    assert who(client) is None


def test_sign_out_leaves_a_row(client: Client) -> None:
    user = make_staff("support")
    submit(client, user.email)
    assert client.get("/accounts/logout/").status_code == 200
    assert who(client) == user
    client.post("/accounts/logout/")
    assert who(client) is None
    assert trail("auth.sign_out").actor_id == user.public_id


def test_five_failures_hold_one_address_back_and_nobody_else(client: Client) -> None:
    user = make_staff("support")
    for _ in range(5):
        submit(client, user.email, "guess")
    held = text(submit(client, user.email))
    assert "Too many attempts. Try again in 15 minutes." in held
    assert who(client) is None
    assert AuditEntry.objects.filter(action="auth.sign_in", outcome="failure").count() == 5
    elsewhere = Client()
    submit(elsewhere, user.email, address="198.51.100.4")
    assert who(elsewhere) == user


def test_the_wait_ends_after_a_quarter_of_an_hour(client: Client) -> None:
    user = make_staff("support")
    start = now()
    with time_machine.travel(start, tick=False):
        for _ in range(5):
            submit(client, user.email, "guess")
    with time_machine.travel(start + timedelta(minutes=14), tick=False):
        assert "Try again in 2 minutes." in text(submit(client, user.email))
    with time_machine.travel(start + timedelta(minutes=15, seconds=1), tick=False):
        submit(client, user.email)
        assert who(client) == user


def test_success_forgets_ones_own_failures_but_not_an_address_spraying(client: Client) -> None:
    user = make_staff("support")
    submit(client, user.email, "typo")
    for number in range(3):
        submit(client, f"guess{number}@people.example", "spring2026")
    submit(client, user.email)
    assert who(client) == user
    assert FailedAttempt.objects.count() == 3


def test_an_address_that_sprays_is_held_back_for_every_account(client: Client) -> None:
    for number in range(10):
        submit(client, f"guess{number}@people.example", "spring2026")
    user = make_staff("support")
    assert "Too many attempts" in text(submit(client, user.email))


def test_ipv6_addresses_of_one_network_count_together(client: Client) -> None:
    user = make_staff("support")
    for number in range(5):
        submit(client, user.email, "guess", address=f"2001:db8:1:2::{number + 1}")
    assert "Too many attempts" in text(submit(client, user.email, address="2001:db8:1:2:ffff::9"))
    submit(client, user.email, address="2001:db8:1:3::1")
    assert who(client) == user


def test_an_attack_from_everywhere_does_not_lock_out_a_known_browser(client: Client) -> None:
    user = make_staff("support")
    submit(client, user.email)
    client.post("/accounts/logout/")
    for number in range(30):
        submit(Client(), user.email, "guess", address=f"198.51.100.{number}")
    stranger = Client()
    assert "Too many attempts" in text(submit(stranger, user.email, address="192.0.2.1"))
    submit(client, user.email)
    assert who(client) == user


def test_codes_are_counted_over_all_addresses(client: Client) -> None:
    user = make_staff()
    secret = enrol(user)
    for number in range(10):
        guesser = Client(REMOTE_ADDR=f"198.51.100.{number}")
        submit(guesser, user.email, address=f"198.51.100.{number}")
        guesser.post(CODE, {"code": "000000"})
    submit(client, user.email, address="192.0.2.1")
    assert "Too many attempts" in text(client.post(CODE, {"code": code(secret)}))
    assert who(client) is None


def test_sign_in_works_while_redis_is_away(client: Client, settings: Settings) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    user = make_staff()
    secret = enrol(user)
    submit(client, user.email)
    client.post(CODE, {"code": code(secret)})
    assert who(client) == user


@pytest.mark.parametrize("path", ["signup/", "email/", "password/set/", "inactive/", "confirm-email/"])
def test_pages_that_we_do_not_serve_are_not_there(client: Client, path: str) -> None:
    assert client.get(f"/accounts/{path}").status_code == 404


def test_pages_are_never_stored_and_in_nobodys_frame(client: Client) -> None:
    response = client.get(LOGIN)
    assert response["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]


def test_hostile_input_gets_a_page_and_never_a_failure(client: Client) -> None:
    for login in ["", "a@b", "x" * 400 + "@y.example", "a\x00b@c.example", "😀@c.example", "' OR 1=1--@x.yz"]:
        assert submit(client, login, "p\x00w").status_code == 200
