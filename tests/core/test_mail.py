"""apps.core.outbound.mail and messages: from the write to a real SMTP server."""

import email
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.core.mail import get_connection
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from apps.core.clock import now
from apps.core.enums import JobStatus
from apps.core.jobs import runner
from apps.core.models import Job
from apps.core.outbound.mail import Backend
from apps.core.outbound.messages import queue_mail
from apps.core.outbound.smtp import MailAddressWrong, smtp_options
from apps.core.principal import system
from apps.core.write import Target, write
from tests.deploy.servers import free_port

LINK = "https://steward.example/reset/single-use-token"


class Relay:
    """An SMTP server that keeps what it takes; `answer` refuses."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.answer = "250 OK"
        self.recipient_answer = "250 OK"

    async def handle_RCPT(self, *given_: Any) -> str:  # noqa: N802  aiosmtpd's name
        _server, _session, envelope, address, _options = given_
        envelope.rcpt_tos.append(address)
        return self.recipient_answer

    async def handle_DATA(self, *given_: Any) -> str:  # noqa: N802  aiosmtpd's name
        _server, _session, envelope = given_
        if self.answer.startswith("250"):
            message = email.message_from_bytes(envelope.content, policy=default)
            assert isinstance(message, EmailMessage)
            self.taken.append(message)
        return self.answer


@pytest.fixture
def relay(settings: Settings) -> Iterator[Relay]:
    handler, port = Relay(), free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port, ready_timeout=60)
    controller.start()
    settings.EMAIL_BACKEND = "apps.core.outbound.mail.Backend"
    settings.EMAIL_URL = f"smtp://127.0.0.1:{port}"
    settings.DEFAULT_FROM_EMAIL = "Steward <steward@steward.example>"
    yield handler
    controller.stop()


def _queued(**changes: Any) -> Job:
    known: dict[str, Any] = {"to": "jane@acme.com", "subject": "Reset", "text": f"Open {LINK}", "html": None}
    with write("user.reset_password", actor=system("test"), target=Target(type="user", id="usr_1")) as w:
        queue_mail(w, **{**known, **changes})
    return Job.objects.get()


def _run(row: Job) -> Job:
    runner.run(str(row.id))
    row.refresh_from_db()
    return row


@pytest.mark.django_db(transaction=True)
def test_a_mail_arrives_as_it_was_written(relay: Relay) -> None:
    row = _run(_queued(subject="Grüße,\n Reset", text=f"Öffne {LINK}", html=f"<a href='{LINK}'>Öffnen</a>"))
    assert row.status == JobStatus.COMPLETED
    (mail,) = relay.taken
    assert (mail["To"], mail["From"]) == ("jane@acme.com", "Steward <steward@steward.example>")
    assert mail["Subject"] == "Grüße, Reset"
    assert mail["Auto-Submitted"] == "auto-generated"
    plain, rich = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert rich is not None
    assert plain.get_content().strip() == f"Öffne {LINK}"
    assert LINK in rich.get_content()


@pytest.mark.django_db(transaction=True)
def test_neither_the_address_nor_the_link_stands_in_the_job_row(relay: Relay) -> None:
    row = _queued()
    stored = str(Job.objects.values().get(id=row.id))
    assert LINK not in stored
    assert "jane" not in stored
    assert list(row.args) == ["sealed"]


@pytest.mark.django_db(transaction=True)
def test_a_mail_that_is_sent_twice_bears_one_message_id(relay: Relay) -> None:
    row = _run(_queued())
    Job.objects.filter(id=row.id).update(status=JobStatus.ACTIVE, finished_at=None)
    _run(row)
    first, second = relay.taken
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Message-ID"].endswith("@steward.example>")


@pytest.mark.django_db(transaction=True)
def test_one_occasion_is_one_mail(relay: Relay) -> None:
    for _ in range(2):
        with write("x", actor=system("test"), target=Target(type="user", id="usr_1")) as w:
            queue_mail(w, to="a@b.c", subject="s", text="t", unique_key="welcome:usr_1")
    assert Job.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("recipient", "data", "status"),
    [
        ("550 no such user", "250 OK", JobStatus.FAILED),
        ("450 try later", "250 OK", JobStatus.WAITING),
        ("250 OK", "554 spam", JobStatus.FAILED),
        ("250 OK", "451 busy", JobStatus.WAITING),
    ],
)
def test_a_refusal_for_good_ends_the_job_and_one_for_now_is_tried_again(
    relay: Relay, recipient: str, data: str, status: JobStatus
) -> None:
    relay.recipient_answer, relay.answer = recipient, data
    row = _run(_queued())
    assert row.status == status
    assert "jane" not in str(row.error)


@pytest.mark.django_db(transaction=True)
def test_a_relay_that_is_away_is_tried_again(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "apps.core.outbound.mail.Backend"
    settings.EMAIL_URL = f"smtp://127.0.0.1:{free_port()}"
    row = _run(_queued())
    assert row.status == JobStatus.WAITING
    assert row.run_at > now()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://127.0.0.1:1025", ("127.0.0.1", 1025, "", "", False, False)),
        ("smtp://relay", ("relay", 25, "", "", False, False)),
        ("smtps://u%40x:p%3Aw@relay", ("relay", 465, "u@x", "p:w", True, False)),
        ("smtp://u:p@relay:587?tls=require", ("relay", 587, "u", "p", False, True)),
    ],
)
def test_an_address_says_host_port_user_and_security(url: str, expected: tuple[object, ...]) -> None:
    options = smtp_options(url)
    names = ("host", "port", "username", "password", "use_ssl", "use_tls")
    assert tuple(options[name] for name in names) == expected
    assert options["timeout"] == 10


@pytest.mark.parametrize(
    "url",
    ["", "relay:25", "http://relay", "smtp://", "smtp://relay:port", "smtp://relay:1?tls=no", "smtp://u:pw@"],
)
def test_a_wrong_address_is_refused_without_showing_its_password(url: str) -> None:
    with pytest.raises(MailAddressWrong) as refused:
        smtp_options(url)
    assert "u:pw" not in str(refused.value)


@given(url=st.text(max_size=40).map("smtp://{}".format))
def test_any_text_is_an_address_or_refused(url: str) -> None:
    try:
        assert smtp_options(url)["host"]
    except MailAddressWrong as refused:
        assert "EMAIL_URL" in str(refused)  # noqa: PT017  either outcome is right


def test_django_builds_the_backend_from_the_setting(settings: Settings) -> None:
    settings.EMAIL_URL = "smtps://u:p@relay.example:465"
    backend = get_connection("apps.core.outbound.mail.Backend", fail_silently=True)
    assert isinstance(backend, Backend)
    assert (backend.host, backend.port, backend.use_ssl, backend.timeout) == ("relay.example", 465, True, 10)
