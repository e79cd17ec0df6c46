"""The mail relay's address, EMAIL_URL. Read by config/env.py too: no Django here.

`smtp://user:password@host:587?tls=require` upgrades with STARTTLS, `smtps://…` speaks TLS from the start; a plain
`smtp://` is for a relay on the same machine or the embedded mail catcher.
"""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TIMEOUT_SECONDS = 10


class MailAddressWrong(ValueError):
    """EMAIL_URL can't be read; the message is a sentence, without the password."""


def smtp_options(url: str) -> dict[str, Any]:
    """The arguments of Django's SMTP backend behind an address.

    Raises:
        MailAddressWrong: another scheme, or no host.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise MailAddressWrong("EMAIL_URL can't be read") from None
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise MailAddressWrong("EMAIL_URL must be written smtp://user:password@host:port or smtps://…")
    secure = parts.scheme == "smtps"
    tls = parse_qs(parts.query).get("tls", [""])[0]
    if tls not in {"", "require"}:
        raise MailAddressWrong("EMAIL_URL knows one option: tls=require")
    return {
        "host": parts.hostname,
        "port": port or (465 if secure else 25),
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "use_ssl": secure,
        "use_tls": tls == "require" and not secure,
        "timeout": TIMEOUT_SECONDS,
    }
