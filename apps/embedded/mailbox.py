"""A mail catcher: takes every mail over SMTP, sends none on, and shows them as pages and as JSON.

GET /                 the mails, newest first            GET /messages        the same as JSON, oldest first
GET /view/{id}        one mail to read                   GET /messages/{id}   one mail as JSON
DELETE /messages      forget all of them
"""

import argparse
import asyncio
import html
import json
import signal
import threading
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern_policy
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, ClassVar
from urllib.parse import urlsplit

from aiosmtpd.smtp import SMTP, Envelope, Session

KEPT = 500
LARGEST_MAIL_BYTES = 10 * 1024 * 1024
LOCAL_NAMES = {"127.0.0.1", "localhost", "[::1]"}

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:15px system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color-scheme:light dark}}
table{{border-collapse:collapse;width:100%}}td,th{{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #8884}}
pre{{white-space:pre-wrap}}iframe{{width:100%;height:30rem;border:1px solid #8884;background:#fff}}</style>
{body}"""


@dataclass(frozen=True)
class Mail:
    """One caught mail."""

    id: str
    to: list[str]
    sender: str
    subject: str
    text: str
    html: str
    received_at: str

    def as_json(self) -> dict[str, Any]:
        return {("from" if name == "sender" else name): value for name, value in asdict(self).items()}


class Mailbox:
    """The caught mails, in memory; the oldest go when there are too many."""

    def __init__(self) -> None:
        self._mails: deque[Mail] = deque(maxlen=KEPT)
        self._numbers = count(1)
        self._lock = threading.Lock()

    def add(self, content: bytes, *, sender: str, recipients: list[str]) -> Mail:
        """Keep a mail as it came over the wire."""
        message = message_from_bytes(content, policy=modern_policy)
        with self._lock:
            mail = Mail(
                id=str(next(self._numbers)),
                to=list(recipients),
                sender=str(message["from"] or sender),
                subject=str(message["subject"] or ""),
                text=_part(message, "plain"),
                html=_part(message, "html"),
                received_at=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            )
            self._mails.append(mail)
        return mail

    def all(self) -> list[Mail]:
        with self._lock:
            return list(self._mails)

    def find(self, number: str) -> Mail | None:
        return next((mail for mail in self.all() if mail.id == number), None)

    def clear(self) -> None:
        with self._lock:
            self._mails.clear()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Called by aiosmtpd for each mail."""
        del server, session
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        mail = self.add(content, sender=envelope.mail_from or "", recipients=envelope.rcpt_tos)
        print(f"caught mail {mail.id} to {', '.join(mail.to)}: {mail.subject}", flush=True)
        return "250 caught"


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    if body is None:
        return ""
    try:
        return str(body.get_content())
    except (LookupError, UnicodeError):
        return (body.get_payload(decode=True) or b"").decode(errors="replace")  # type: ignore[union-attr]  # bytes


class Door(BaseHTTPRequestHandler):
    """The mailbox over HTTP. Answers only to local names, so that no foreign page reaches it by a DNS trick."""

    mailbox: ClassVar[Mailbox]
    server_version = "steward-mailbox"
    sys_version = ""

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        kind, _, number = path.strip("/").partition("/")
        mail = self.mailbox.find(number) if number else None
        if not self._is_local():
            self._json(HTTPStatus.FORBIDDEN, {"error": "this mailbox answers to 127.0.0.1 and localhost"})
        elif path == "/":
            self._page("Caught mail", list_page(self.mailbox.all()))
        elif path == "/messages":
            self._json(HTTPStatus.OK, [mail.as_json() for mail in self.mailbox.all()])
        elif mail is not None and kind == "messages":
            self._json(HTTPStatus.OK, mail.as_json())
        elif mail is not None and kind == "view":
            self._page(mail.subject, mail_page(mail))
        else:
            self._json(HTTPStatus.NOT_FOUND, {"error": "no such mail"})

    def do_DELETE(self) -> None:
        if not self._is_local():
            self._json(HTTPStatus.FORBIDDEN, {"error": "this mailbox answers to 127.0.0.1 and localhost"})
        elif urlsplit(self.path).path == "/messages":
            self.mailbox.clear()
            self._answer(HTTPStatus.NO_CONTENT, "application/json", b"")
        else:
            self._json(HTTPStatus.NOT_FOUND, {"error": "no such mail"})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Reading the mailbox is not worth a line."""

    def _is_local(self) -> bool:
        host = self.headers.get("Host", "")
        return host.rpartition(":")[0] in LOCAL_NAMES or host in LOCAL_NAMES

    def _json(self, status: HTTPStatus, content: object) -> None:
        self._answer(status, "application/json", json.dumps(content).encode())

    def _page(self, title: str, body: str) -> None:
        page = PAGE.format(title=html.escape(title), body=body)
        self._answer(HTTPStatus.OK, "text/html; charset=utf-8", page.encode(errors="replace"))

    def _answer(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header(
            "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        )
        self.end_headers()
        self.wfile.write(content)


def list_page(mails: list[Mail]) -> str:
    """All mails as a table, newest first."""
    rows = [
        f'<tr><td><a href="/view/{mail.id}">{html.escape(mail.subject) or "(no subject)"}</a></td>'
        f"<td>{html.escape(', '.join(mail.to))}</td><td>{mail.received_at}</td></tr>"
        for mail in reversed(mails)
    ]
    table = f"<table><tr><th>Subject</th><th>To</th><th>Received</th></tr>{''.join(rows)}</table>"
    return (
        f"<h1>Caught mail</h1>{table if mails else '<p>No mail has been sent yet. Reload to look again.</p>'}"
    )


def mail_page(mail: Mail) -> str:
    """One mail; its HTML stands in a frame without scripts, forms or an origin."""
    head = "".join(
        f"<tr><th>{name}</th><td>{html.escape(value)}</td></tr>"
        for name, value in (("From", mail.sender), ("To", ", ".join(mail.to)), ("Received", mail.received_at))
    )
    frame = f'<iframe sandbox="" srcdoc="{html.escape(mail.html)}"></iframe>' if mail.html else ""
    text = f"<pre>{html.escape(mail.text)}</pre>" if mail.text else ""
    return f'<p><a href="/">All mails</a></p><h1>{html.escape(mail.subject)}</h1><table>{head}</table>{text}{frame}'


def serve_pages(mailbox: Mailbox, port: int) -> ThreadingHTTPServer:
    """Start the HTTP side in a thread of its own; `shutdown()` ends it."""
    door = type("DoorOfMailbox", (Door,), {"mailbox": mailbox})
    server = ThreadingHTTPServer(("127.0.0.1", port), door)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="mailbox-pages", daemon=True).start()
    return server


async def serve_smtp(mailbox: Mailbox, port: int) -> asyncio.Server:
    """Start the SMTP side in the running loop."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        lambda: SMTP(mailbox, hostname="mailbox.localhost", data_size_limit=LARGEST_MAIL_BYTES, loop=loop),
        "127.0.0.1",
        port,
    )


def mailbox_command(options: argparse.Namespace) -> int:
    """Catch mails until SIGTERM or SIGINT."""
    asyncio.run(_run(options.smtp_port, options.http_port))
    return 0


async def _run(smtp_port: int, http_port: int) -> None:
    mailbox = Mailbox()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    smtp = await serve_smtp(mailbox, smtp_port)
    pages = serve_pages(mailbox, http_port)
    print(f"catching mail on port {smtp_port}, showing it on http://127.0.0.1:{http_port}", flush=True)
    await ended.wait()
    smtp.close()
    await smtp.wait_closed()
    pages.shutdown()
