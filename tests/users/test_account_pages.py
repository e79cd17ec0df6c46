"""What people do to their own account: second factors, passwords, sessions."""

import re
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth import get_user
from django.db import connection, transaction
from django.http import HttpRequest
from django.test import Client

from apps.audit.models import AuditEntry
from apps.core.clock import now
from apps.core.jobs.runner import run
from apps.core.models import Job
from apps.users import services
from apps.users.auth.mfa import auth_time, must_enrol
from apps.users.models import User, revoked
from tests.factories import actor, make_member, make_staff, make_tenant, make_user
from tests.factories.people import PASSWORD
from tests.users.support import code, enrol, mails, open_session, sign_in, trail
from tests.users.test_sign_in import CODE, LOGIN, submit, text, who

pytestmark = pytest.mark.django_db

ENROL = "/accounts/2fa/totp/activate/"
RESET = "/accounts/password/reset/"
NEW = "a quite different password"


def shown_secret(page: str) -> str:
    found = re.search(r'class="secret">(.*?)</code>', page)
    assert found is not None
    return re.sub(r"<[^>]+>", "", found.group(1))


def link_in(mail: dict[str, str]) -> str:
    found = re.search(r"https?://[^/\s]+(/accounts/password/reset/key/\S+)", mail["text"])
    assert found is not None
    return found.group(1)


def use_link(client: Client, path: str, password: str = NEW) -> str:
    """Follows a link and sets a password; answers the last page."""
    opened = client.get(path, follow=True)
    if "no longer counts" in text(opened):
        return text(opened)
    form = opened.redirect_chain[-1][0]
    return text(client.post(form, {"password1": password, "password2": password}, follow=True))


def requested(client: Client) -> HttpRequest:
    """A request as a page of the back office would see it."""
    request = HttpRequest()
    request.session = client.session
    request.user = get_user(request)
    return request


def test_a_super_admin_must_enrol_before_the_first_page(client: Client) -> None:
    user = make_staff()
    submit(client, user.email)
    assert must_enrol(requested(client))
    page = text(client.get(ENROL))
    assert "Your role needs an authenticator app" in page
    secret = shown_secret(page)
    assert secret == shown_secret(text(client.get(ENROL)))  # another tab shows the same key
    assert secret not in str(dict(client.session.items()))

    response = client.post(ENROL, {"code": code(secret)})
    assert response["Location"] == "/accounts/2fa/recovery-codes/"
    assert not must_enrol(requested(client))
    assert trail("mfa.enrol").actor_id == user.public_id
    assert mails()[0]["subject"] == "An authenticator app was added"

    codes = re.findall(r"<li>(\d{8})</li>", text(client.get("/accounts/2fa/recovery-codes/")))
    assert len(codes) == 10
    assert codes[0] not in text(client.get("/accounts/2fa/recovery-codes/"))  # shown once

    again = Client()
    submit(again, user.email)
    again.post(CODE, {"code": codes[0]})
    assert who(again) == user
    assert not must_enrol(requested(again))


@pytest.mark.parametrize("given", ["000000", "", "abcdef", "１２３４５６"])
def test_a_wrong_code_does_not_enrol(client: Client, given: str) -> None:
    submit(client, make_staff().email)
    client.get(ENROL)
    assert client.post(ENROL, {"code": given}).status_code == 200
    assert not Authenticator.objects.exists()


def test_other_roles_may_come_in_without(client: Client) -> None:
    submit(client, make_staff("support").email)
    assert not must_enrol(requested(client))


def test_enrolling_ends_the_other_sessions(client: Client) -> None:
    user = make_staff("support")
    other = Client()
    for each in (client, other):
        submit(each, user.email)
        each.get("/accounts/sessions/")
    secret = shown_secret(text(client.get(ENROL)))
    client.post(ENROL, {"code": code(secret)})
    assert who(client) == user
    assert who(other) is None


def test_who_has_an_app_but_a_session_without_is_asked_for_the_code(client: Client) -> None:
    user = make_staff()
    secret = enrol(user)
    sign_in(client, user, "password")
    response = client.get(ENROL)
    assert response["Location"].startswith("/accounts/2fa/reauthenticate/")
    client.post(response["Location"], {"code": code(secret)})
    assert not must_enrol(requested(client))


def test_a_super_admin_can_not_remove_the_app_and_others_can(client: Client) -> None:
    boss, helper = make_staff(), make_staff("support")
    for user in (boss, helper):
        enrol(user)
    sign_in(client, boss)
    assert "Your role needs" in text(client.post("/accounts/2fa/totp/deactivate/"))
    assert Authenticator.objects.filter(user=boss).count() == 2
    sign_in(client, helper)
    assert client.post("/accounts/2fa/totp/deactivate/").status_code == 302
    assert not Authenticator.objects.filter(user=helper).exists()
    assert trail("mfa.remove").actor_id == helper.public_id


def test_something_sensitive_asks_for_a_fresh_proof_after_five_minutes(client: Client) -> None:
    user = make_staff("support")
    start = now()
    with time_machine.travel(start, tick=False):
        submit(client, user.email)
        assert client.get(ENROL).status_code == 200
    with time_machine.travel(start + timedelta(minutes=6), tick=False):
        response = client.get(ENROL)
        assert response["Location"].startswith("/accounts/reauthenticate/")
        client.post(response["Location"], {"password": "not it"})
        assert client.get(ENROL).status_code == 302
        client.post(response["Location"], {"password": PASSWORD})
        assert client.get(ENROL).status_code == 200
        assert auth_time(requested(client)) == now()


def test_new_recovery_codes_void_the_old_ones(client: Client) -> None:
    user = make_staff()
    enrol(user)
    old = Authenticator.objects.get(user=user, type="recovery_codes").wrap().get_unused_codes()[0]
    sign_in(client, user)
    client.post("/accounts/2fa/recovery-codes/generate/")
    assert trail("mfa.renew_recovery_codes").actor_id == user.public_id
    again = Client()
    submit(again, user.email)
    again.post(CODE, {"code": old})
    assert who(again) is None


def test_an_operator_resets_a_lost_second_factor(client: Client) -> None:
    user = make_staff()
    enrol(user)
    sign_in(client, user)
    services.reset_mfa(actor=actor(), user_id=user.pk, reason="lost telephone")
    assert who(client) is None
    submit(client, user.email)
    assert must_enrol(requested(client))


def test_a_new_password_keeps_this_session_and_ends_the_others(client: Client) -> None:
    user = make_staff("support")
    other = Client()
    for each in (client, other):
        submit(each, user.email)
    issued = now()
    response = client.post(
        "/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    )
    assert response.status_code == 302
    assert client.get("/accounts/sessions/").status_code == 200
    assert who(client) == user
    assert who(other) is None
    assert revoked(User.objects.get(pk=user.pk), issued)
    assert trail("auth.change_password").actor_id == user.public_id
    assert mails()[-1]["subject"] == "Your password was changed"


@pytest.mark.parametrize(
    ("old", "new", "again"), [("not it", NEW, NEW), (PASSWORD, NEW, "other"), (PASSWORD, "short", "short")]
)
def test_a_wrong_change_of_password_changes_nothing(client: Client, old: str, new: str, again: str) -> None:
    user = make_staff("support")
    submit(client, user.email)
    client.post("/accounts/password/change/", {"oldpassword": old, "password1": new, "password2": again})
    assert User.objects.get(pk=user.pk).check_password(PASSWORD)


def test_guesses_of_the_present_password_are_counted(client: Client) -> None:
    user = make_staff("support")
    submit(client, user.email)
    for _ in range(5):
        client.post(
            "/accounts/password/change/", {"oldpassword": "guess", "password1": NEW, "password2": NEW}
        )
    page = text(
        client.post(
            "/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
        )
    )
    assert "Too many attempts" in page


def test_a_reset_link_counts_once_and_ends_sessions(client: Client) -> None:
    user = make_member(make_tenant())
    open_session(user)
    services.request_password_reset(actor=actor(), user_id=user.pk)
    link = link_in(mails()[0])
    assert "Your password is set" in use_link(client, link)
    found = User.objects.get(pk=user.pk)
    assert found.check_password(NEW)
    assert found.tokens_valid_after is not None
    assert trail("auth.reset_password").resource_id == user.public_id
    assert "no longer counts" in use_link(Client(), link)


@pytest.mark.django_db(transaction=True)
def test_a_reset_link_used_by_several_at_once_counts_for_one() -> None:
    user = make_user()
    services.request_password_reset(actor=actor(), user_id=user.pk)
    link = link_in(mails()[0])
    clients = [Client() for _ in range(3)]
    forms = [client.get(link, follow=True).redirect_chain[-1][0] for client in clients]
    pages: list[str] = []

    def use(client: Client, form: str, password: str) -> None:
        pages.append(text(client.post(form, {"password1": password, "password2": password}, follow=True)))
        connection.close()

    # Held here, so that all of them have found the link good before the first one gets the row.
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        threads = [
            threading.Thread(target=use, args=(client, form, f"{NEW} {number}"))
            for number, (client, form) in enumerate(zip(clients, forms, strict=True))
        ]
        for thread in threads:
            thread.start()
        wait_for(lambda: waiting_for_locks() == len(threads))
    for thread in threads:
        thread.join(timeout=30)
    assert sum("Your password is set" in page for page in pages) == 1
    assert sum("no longer counts" in page for page in pages) == 2
    assert AuditEntry.objects.filter(action="auth.reset_password", outcome="success").count() == 1


def waiting_for_locks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees what it saw first
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


def wait_for(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_new_request_voids_the_link_before_it(client: Client) -> None:
    user = make_user()
    services.request_password_reset(actor=actor(), user_id=user.pk)
    services.request_password_reset(actor=actor(), user_id=user.pk)
    first, second = (link_in(mail) for mail in mails())
    assert "no longer counts" in use_link(client, first)
    assert "Your password is set" in use_link(client, second)


def test_a_link_dies_with_a_new_password(client: Client) -> None:
    user = make_staff("support")
    services.request_password_reset(actor=actor(), user_id=user.pk)
    link = link_in(mails()[0])
    other = Client()
    submit(other, user.email)
    other.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    assert "no longer counts" in use_link(client, link)


def test_a_link_is_dead_after_a_day(client: Client) -> None:
    user = make_user()
    asked = services.request_password_reset(actor=actor(), user_id=user.pk)
    link = link_in(mails()[0])
    assert asked.expires_at - now() < timedelta(hours=24)
    with time_machine.travel(asked.expires_at - timedelta(seconds=30), tick=False):
        assert "no longer counts" not in text(client.get(link, follow=True))
    with time_machine.travel(asked.expires_at + timedelta(seconds=1), tick=False):
        assert "no longer counts" in use_link(client, link)


@pytest.mark.parametrize("change", ["user", "token"])
def test_a_forged_link_is_refused(client: Client, change: str) -> None:
    one, other = make_user(), make_user()
    for user in (one, other):
        services.request_password_reset(actor=actor(), user_id=user.pk)
    first, second = (link_in(mail).removeprefix("/accounts/password/reset/key/") for mail in mails())
    forged = (
        second.partition("-")[0] + "-" + first.partition("-")[2] if change == "user" else first[:-3] + "00/"
    )
    assert "no longer counts" in use_link(client, f"/accounts/password/reset/key/{forged}")


def test_the_forgotten_password_page_answers_everybody_alike(client: Client) -> None:
    known = make_staff("support")
    pages = [client.post(RESET, {"email": email}) for email in (known.email.upper(), "nobody@people.example")]
    assert {page["Location"] for page in pages} == {"/accounts/password/reset/done/"}
    jobs = list(Job.objects.filter(name="users.send_reset_link").order_by("id"))
    assert len(jobs) == 2
    assert known.email not in str([job.args for job in jobs])
    for job in jobs:
        run(str(job.id))
    (mail,) = mails()
    assert mail["to"] == known.email
    assert "Your password is set" in use_link(Client(), link_in(mail))


def test_the_stopped_get_no_link_by_themselves(client: Client) -> None:
    user = make_user(suspended_at=now())
    client.post(RESET, {"email": user.email})
    run(str(Job.objects.get(name="users.send_reset_link").id))
    assert mails() == []


def test_asking_for_links_is_limited(client: Client) -> None:
    for _ in range(3):
        client.post(RESET, {"email": "nobody@people.example"})
    assert "Too many attempts" in text(client.post(RESET, {"email": "nobody@people.example"}))


def test_sessions_are_listed_and_ended_one_or_all(client: Client) -> None:
    user = make_staff("support")
    others = [Client(), Client(), Client()]
    for each in (client, *others):
        submit(each, user.email, address="203.0.113.10")
    page = text(client.get("/accounts/sessions/"))
    assert page.count('name="end"') == 3
    assert "this one" in page
    wanted = re.findall(r'name="end" value="(\d+)"', page)
    client.post("/accounts/sessions/", {"end": wanted[0]})
    assert sum(who(each) is not None for each in others) == 2
    client.post("/accounts/sessions/")
    assert [who(each) for each in others] == [None, None, None]
    assert who(client) == user
    assert trail("session.end_others").metadata == {"sessions_ended": 2}


def test_somebody_elses_session_is_not_ended(client: Client) -> None:
    user, other = make_staff("support"), make_staff("support")
    victim = Client()
    submit(victim, other.email)
    submit(client, user.email)
    row = UserSession.objects.get(user=other)
    assert "over already" in text(client.post("/accounts/sessions/", {"end": str(row.pk)}, follow=True))
    assert who(victim) == other
    assert not AuditEntry.objects.filter(action="session.end").exists()


@pytest.mark.parametrize(
    "path",
    [
        "",
        "2fa/",
        "2fa/totp/activate/",
        "2fa/totp/deactivate/",
        "2fa/recovery-codes/",
        "sessions/",
        "password/change/",
    ],
)
def test_pages_of_an_account_need_a_session(client: Client, path: str) -> None:
    response = client.get(f"/accounts/{path}", follow=True)
    assert response.redirect_chain[-1][0].startswith(LOGIN)
