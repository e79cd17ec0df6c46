"""The mail catcher: what is sent over SMTP is read over HTTP, and only from here."""

import json
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from http.client import HTTPConnection, HTTPResponse

import pytest

from apps.embedded import processes
from apps.embedded.mailbox import KEPT, Mailbox, mail_page
from apps.embedded.state import REPOSITORY


@pytest.fixture(scope="module")
def ports() -> Iterator[tuple[int, int]]:
    smtp = processes.free_port(21025)
    http = processes.free_port(21525)
    process = subprocess.Popen(
        [sys.executable, "-m", "apps.embedded", "mailbox", str(smtp), str(http)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "catching mail" in process.stdout.readline()
    yield smtp, http
    process.terminate()
    assert process.wait(10) == 0


def ask(port: int, path: str, *, method: str = "GET", host: str = "127.0.0.1") -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, headers={"Host": f"{host}:{port}"})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def send(port: int, *, subject: str = "Reset your password") -> None:
    message = EmailMessage()
    message["From"] = "Steward <steward@localhost>"
    message["To"] = "ada@example.com"
    message["Subject"] = subject
    message.set_content("Open https://example.com/reset/Ünïcode\n")
    message.add_alternative("<p onclick='x()'>Open <b>this</b></p><script>alert(1)</script>", subtype="html")
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as link:
        link.send_message(message, to_addrs=["ada@example.com", "hidden@example.com"])


def test_mail_sent_is_read_as_json_and_as_pages(ports: tuple[int, int]) -> None:
    smtp, http = ports
    ask(http, "/messages", method="DELETE")
    send(smtp)

    mails = json.loads(ask(http, "/messages")[1])
    assert len(mails) == 1
    mail = mails[0]
    assert set(mail) == {"id", "to", "from", "subject", "text", "html", "received_at"}
    assert mail["to"] == ["ada@example.com", "hidden@example.com"]
    assert mail["from"] == "Steward <steward@localhost>"
    assert mail["text"].strip() == "Open https://example.com/reset/Ünïcode"
    assert "<b>this</b>" in mail["html"]
    assert json.loads(ask(http, f"/messages/{mail['id']}")[1]) == mail
    assert b"Reset your password" in ask(http, "/")[1]
    assert b"ada@example.com" in ask(http, f"/view/{mail['id']}")[1]


def test_mailbox_emptied_holds_nothing_and_an_unknown_mail_is_404(ports: tuple[int, int]) -> None:
    smtp, http = ports
    send(smtp)

    assert ask(http, "/messages", method="DELETE")[0].status == 204
    assert json.loads(ask(http, "/messages")[1]) == []
    assert ask(http, "/messages/999")[0].status == 404
    assert ask(http, "/elsewhere")[0].status == 404


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_mailbox_asked_under_a_foreign_name_refuses(ports: tuple[int, int], method: str) -> None:
    assert ask(ports[1], "/messages", method=method, host="evil.example")[0].status == 403


def test_mail_page_shows_html_in_a_frame_that_may_do_nothing() -> None:
    mailbox = Mailbox()
    mail = mailbox.add(
        b"Subject: <script>alert(1)</script>\r\nContent-Type: text/html\r\n\r\n<script>alert(2)</script>",
        sender="a@example.com",
        recipients=["b@example.com"],
    )
    page = mail_page(mail)

    assert "<script" not in page
    assert 'sandbox=""' in page


def test_mail_that_is_no_proper_message_is_kept_all_the_same() -> None:
    mailbox = Mailbox()
    mail = mailbox.add(
        b"Content-Type: text/plain; charset=nonsense\r\n\r\n\xff\xfe", sender="a@example.com", recipients=[]
    )

    assert mail.subject == ""
    assert mail.sender == "a@example.com"
    assert mailbox.find(mail.id) == mail


def test_mailbox_full_forgets_the_oldest() -> None:
    mailbox = Mailbox()
    for number in range(KEPT + 1):
        mailbox.add(f"Subject: {number}\r\n\r\n".encode(), sender="a@example.com", recipients=[])

    assert len(mailbox.all()) == KEPT
    assert mailbox.all()[0].subject == "1"
    assert time.strptime(mailbox.all()[0].received_at, "%Y-%m-%dT%H:%M:%S.%fZ")
