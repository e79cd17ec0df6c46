"""Sessions of Nile, against a real HTTP server shaped after the auth service's published interface."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Response

from apps.core.clock import now
from apps.core.principal import system
from apps.identity import nile
from apps.identity.gateways.nile import MAX_BYTES, Nile
from apps.identity.models import NileSession
from apps.identity.services import issue_token, link_identity, prune_nile_sessions, unlink_identity
from apps.users.models import User
from apps.users.services import revoke_sessions, suspend_user, unsuspend_user
from tests.factories import actor, make_staff, make_user
from tests.identity.stand_in import ENCRYPTED, SESSION, SUBJECT, StandIn

pytestmark = pytest.mark.django_db

USERS = "/api/v1/platform/admin/users"


@pytest.fixture(scope="module")
def server() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1", threaded=True) as running:
        yield running


@pytest.fixture
def service(server: HTTPServer, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    made = StandIn(server)
    settings.NILE_URL = made.url
    settings.NILE_NETWORKS = ["127.0.0.0/8"]
    monkeypatch.setattr(nile, "_service", nile._Service())
    return made


@pytest.fixture
def person(service: StandIn) -> User:
    """A member of staff with a session at Nile, known there under another address."""
    made = make_staff("admin")
    link_identity(actor=actor(), user=made, issuer=service.url, subject=SUBJECT)
    service.signed_in(SESSION, SUBJECT)
    return made


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets seconds pass for what is kept of Nile's answers."""
    ahead = [0.0]
    real = time.monotonic

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return real() + ahead[0]

    monkeypatch.setattr(nile, "time", Clock)

    def pass_by(count: float) -> None:
        ahead[0] += count

    return pass_by


def get(token: str | None = SESSION, *, path: str = USERS, cookie: str | None = None, **headers: str) -> Any:
    """What the platform surface answers: status and body."""
    client = Client(raise_request_exception=False)
    if cookie is not None:
        client.cookies[cookie] = SESSION
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    response = client.get(path, headers=headers)
    return response.status_code, response.json()


def code(answered: tuple[int, Any]) -> tuple[int, str]:
    status, body = answered
    return status, body["error"]["code"]


REFUSED = (401, "UNAUTHENTICATED")
NO_RIGHT = (403, "UNAUTHORIZED")
AWAY = (503, "UPSTREAM_UNAVAILABLE")


def test_session_of_a_linked_staff_member_has_the_roles_of_their_row(service: StandIn, person: User) -> None:
    assert get()[0] == 200
    service.signed_in(ENCRYPTED, SUBJECT)
    assert get(ENCRYPTED)[0] == 200
    # Nile chooses the cookie's name by the scheme; either way it is the session.
    assert service.requests[0].cookies.to_dict() == {
        "__Secure-nile.session-token": SESSION,
        "nile.session-token": SESSION,
    }
    assert "Authorization" not in service.requests[0].headers
    # `admin` may not change roles.
    client = Client(headers={"Authorization": f"Bearer {SESSION}"})
    changed = client.patch(
        f"{USERS}/{person.public_id}", {"staff_roles": ["super_admin"]}, content_type="application/json"
    )
    assert changed.status_code == 403


def test_session_that_ended_is_unauthenticated(service: StandIn, person: User) -> None:
    service.sessions.clear()
    assert code(get()) == REFUSED
    service.answer = lambda: Response(status=404)
    assert code(get(SESSION.replace("0", "1"))) == REFUSED


def test_person_is_matched_by_subject_and_never_by_address(service: StandIn) -> None:
    someone = make_staff("super_admin")
    service.signed_in(SESSION, "nobody-of-ours", email=someone.email)
    assert code(get()) == NO_RIGHT
    assert not NileSession.objects.exists()


def test_identity_at_another_issuer_does_not_count(service: StandIn) -> None:
    link_identity(actor=actor(), user=make_staff("admin"), issuer="https://other.example", subject=SUBJECT)
    service.signed_in(SESSION, SUBJECT)
    assert code(get()) == NO_RIGHT


@pytest.mark.parametrize("is_staff", [False, True])
def test_who_has_no_active_staff_row_has_no_right(service: StandIn, is_staff: bool) -> None:
    someone = make_staff("super_admin", is_active=False) if is_staff else make_user()
    link_identity(actor=actor(), user=someone, issuer=service.url, subject=SUBJECT)
    service.signed_in(SESSION, SUBJECT)
    assert code(get()) == NO_RIGHT


def test_suspension_counts_at_once_though_the_answer_is_kept(service: StandIn, person: User) -> None:
    assert get()[0] == 200
    suspend_user(actor=actor(), user_id=person.id, reason="left us")
    assert code(get()) == REFUSED
    assert service.asked == 1


def test_revoked_session_stays_void_and_a_new_one_counts(
    service: StandIn, person: User, seconds: Callable[[float], None]
) -> None:
    assert get()[0] == 200
    revoke_sessions(actor=actor(), user_id=person.id, reason="lost laptop")
    assert code(get()) == REFUSED
    seconds(31)
    # Nile still says yes.
    assert code(get()) == REFUSED
    assert service.asked == 2
    service.signed_in(ENCRYPTED, SUBJECT)
    assert get(ENCRYPTED)[0] == 200


def test_session_from_before_a_suspension_stays_void_after_it(service: StandIn, person: User) -> None:
    assert get()[0] == 200
    suspend_user(actor=actor(), user_id=person.id, reason="on leave")
    unsuspend_user(actor=actor(), user_id=person.id, reason="is back")
    assert code(get()) == REFUSED


def test_unlinked_person_has_no_right_though_the_answer_is_kept(service: StandIn, person: User) -> None:
    assert get()[0] == 200
    seen = NileSession.objects.select_related("identity__user").get()
    unlink_identity(actor=actor(), identity=seen.identity)
    assert code(get()) == NO_RIGHT
    assert service.asked == 1


def test_answer_is_kept_for_thirty_seconds(
    service: StandIn, person: User, seconds: Callable[[float], None]
) -> None:
    for _ in range(5):
        assert get()[0] == 200
    assert service.asked == 1
    seconds(29)
    assert get()[0] == 200
    assert service.asked == 1
    service.sessions.clear()
    seconds(1.1)
    assert code(get()) == REFUSED
    assert service.asked == 2


def test_refusal_is_kept_for_five_seconds(
    service: StandIn, person: User, seconds: Callable[[float], None]
) -> None:
    person_at_nile = service.sessions.pop(SESSION)
    assert [code(get()), code(get())] == [REFUSED] * 2
    assert service.asked == 1
    service.sessions[SESSION] = person_at_nile
    seconds(5.1)
    assert get()[0] == 200


def test_many_requests_at_once_ask_once(service: StandIn) -> None:
    def late() -> Response | None:
        time.sleep(0.3)
        return None

    service.signed_in(SESSION, SUBJECT)
    service.answer = late
    answers = nile.Answers(Nile(service.url, networks=["127.0.0.0/8"]).subject)
    found: list[str | None] = []
    threads = [
        threading.Thread(target=lambda: found.append(answers.subject(SESSION, "0" * 64))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found, service.asked) == ([SUBJECT] * 8, 1)


def test_slow_service_costs_two_seconds_and_is_named(service: StandIn, person: User) -> None:
    over = threading.Event()

    def late() -> Response | None:
        over.wait(timeout=60)
        return None

    service.answer = late
    started = time.monotonic()
    try:
        status, body = get()
    finally:
        over.set()
    assert 1.5 < time.monotonic() - started < 30
    assert (status, body["error"]["code"]) == AWAY
    assert "Nile" in body["error"]["message"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b"<html>", 200),
        (b"{", 200),
        (b"null", 200),
        (b"[]", 200),
        (b"{}", 200),
        (b'{"id":7}', 200),
        (b'{"id":""}', 200),
        (b'{"id":"' + b"x" * 256 + b'"}', 200),
        (b"[" * 100_000, 200),
        (b'{"id":"' + SUBJECT.encode() + b'","x":"' + b"x" * MAX_BYTES + b'"}', 200),
        (b"", 204),
        (b"database is missing", 400),
        (b"", 403),
        (b"", 429),
        (b"", 500),
        (b"", 503),
    ],
)
def test_answer_that_says_neither_yes_nor_no_is_unavailable(
    service: StandIn, person: User, body: bytes, status: int
) -> None:
    service.answer = lambda: Response(body, status=status, content_type="application/json")
    assert code(get()) == AWAY
    # It is not kept.
    service.answer = lambda: None
    assert get()[0] == 200


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_is_not_followed(service: StandIn, server: HTTPServer, person: User, status: int) -> None:
    target = server.url_for("/elsewhere")
    service.answer = lambda: Response(status=status, headers={"Location": target})
    assert code(get()) == AWAY
    assert service.asked == 1


def test_unreachable_service_is_unavailable(service: StandIn, person: User, settings: Settings) -> None:
    settings.NILE_URL = "http://127.0.0.1:9/v2/databases/db1"
    assert code(get()) == AWAY


def test_service_that_fails_again_and_again_is_left_alone(service: StandIn, person: User) -> None:
    service.answer = lambda: Response(status=503)
    assert [code(get(f"{number}{SESSION}")) for number in range(8)] == [AWAY] * 8
    assert service.asked == 5


def test_kept_answer_serves_while_the_service_is_away(service: StandIn, person: User) -> None:
    assert get()[0] == 200
    service.answer = lambda: Response(status=503)
    assert get()[0] == 200


@pytest.mark.parametrize("networks", [[], ["10.0.0.0/8"]])
def test_address_outside_the_listed_networks_is_never_called(
    service: StandIn, person: User, settings: Settings, networks: list[str]
) -> None:
    settings.NILE_NETWORKS = networks
    assert code(get()) == AWAY
    assert service.asked == 0


def test_signed_jwt_is_the_token_verifiers_and_never_goes_to_nile(service: StandIn, person: User) -> None:
    service.answer = lambda: Response(status=503)
    text = issue_token(actor=system("test"), subject=person).text
    assert get(text)[0] == 200
    assert code(get(text[:-4] + "AAAA")) == REFUSED
    assert code(get("a" * 20 + ".b.c")) == REFUSED
    assert service.asked == 0


@pytest.mark.parametrize(
    "token", ["null", "short", "x" * 4097, "not~a~session\\token", "with;semicolon-in-it"]
)
def test_what_can_be_no_session_never_goes_to_nile(service: StandIn, person: User, token: str) -> None:
    assert code(get(token)) == REFUSED
    assert service.asked == 0


@pytest.mark.parametrize("name", ["nile.session-token", "__Secure-nile.session-token"])
def test_session_cookie_of_nile_authenticates(service: StandIn, person: User, name: str) -> None:
    assert get(None, cookie=name)[0] == 200


def test_bearer_token_counts_before_the_cookie(service: StandIn, person: User) -> None:
    assert code(get("another-session-entirely", cookie="nile.session-token")) == REFUSED
    text = issue_token(actor=system("test"), subject=make_user()).text
    assert code(get(text, cookie="nile.session-token")) == NO_RIGHT


def test_cookie_of_another_form_is_refused_unseen(service: StandIn, person: User) -> None:
    client = Client()
    client.cookies["nile.session-token"] = "aaaaaaaaaaaaaaaaaaaa.b.c"
    assert client.get(USERS).status_code == 401
    assert service.asked == 0


def _suspend(client: Client, **headers: str) -> tuple[int, str]:
    someone = make_user()
    response = client.post(
        f"{USERS}/{someone.public_id}/suspend",
        {"reason": "abuse of the service"},
        content_type="application/json",
        headers=headers,
    )
    someone.refresh_from_db()
    return response.status_code, "active" if someone.is_active else "suspended"


def test_cookie_on_an_unsafe_method_needs_the_csrf_token(
    service: StandIn, person: User, settings: Settings
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies["nile.session-token"] = SESSION
    assert _suspend(client) == (403, "active")
    token = "c" * 32
    client.cookies[settings.CSRF_COOKIE_NAME] = token
    assert _suspend(client, **{"X-CSRFToken": "d" * 32}) == (403, "active")
    assert _suspend(client, **{"X-CSRFToken": token}) == (200, "suspended")


def test_bearer_on_an_unsafe_method_needs_none(service: StandIn, person: User) -> None:
    client = Client(enforce_csrf_checks=True)
    assert _suspend(client, Authorization=f"Bearer {SESSION}") == (200, "suspended")


def test_console_takes_the_session_too_and_service_does_not(service: StandIn) -> None:
    person = make_staff("super_admin")
    link_identity(actor=actor(), user=person, issuer=service.url, subject=SUBJECT)
    service.signed_in(SESSION, SUBJECT)
    client = Client(headers={"Authorization": f"Bearer {SESSION}"})
    assert client.get(f"/api/admin/users/{person.public_id}").status_code == 200
    assert service.asked == 1
    service.answer = lambda: Response(status=503)
    other = Client(headers={"Authorization": "Bearer another-session-entirely"})
    assert other.get("/v1/tenants").status_code == 401
    assert service.asked == 1


def test_without_an_address_nothing_is_asked(service: StandIn, person: User, settings: Settings) -> None:
    settings.NILE_URL = ""
    assert code(get()) == REFUSED
    assert code(get(None, cookie="nile.session-token")) == REFUSED
    assert service.asked == 0
    assert not NileSession.objects.exists()


def test_old_sessions_are_forgotten_and_revoked_ones_are_not(service: StandIn, person: User) -> None:
    other = make_staff("ops")
    theirs = link_identity(actor=actor(), user=other, issuer=service.url, subject="other")
    assert get()[0] == 200
    revoke_sessions(actor=actor(), user_id=person.id, reason="lost laptop")
    NileSession.objects.create(digest="1" * 64, identity=theirs, first_seen_at=now())
    assert prune_nile_sessions(actor=system("test"), moment=now() + timedelta(days=59)) == 0
    assert prune_nile_sessions(actor=system("test"), moment=now() + timedelta(days=61)) == 1
    assert code(get()) == REFUSED
