"""What never reaches a log: secrets by the name of their key, and by their looks."""

import re
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any

from apps.core.masking import mask_email

HIDDEN = "[redacted]"
_LONGEST = 8192
_DEEPEST = 8

_SECRET_KEY = re.compile(
    r"passw|passphrase|secret|token|authori[sz]ation|cookie|api_?key|admin_?key|private_?key|master_?key|credential"
    r"|otp|recovery|pepper|signature|csrf|session_?(?:id|key)|confirmation|^search$|query|^args$|^kwargs$|^dsn$",
    re.IGNORECASE,
)
# Names that the pattern above catches and that hold no secret.
_PLAIN_KEYS = frozenset({"token_type", "key_id", "query_count", "queries"})
_PARAMETER = (
    r"confirmation|search|q|email|token|access_token|refresh_token|id_token|code|key|api_key|password|secret|otp"
    r"|signature|state"
)
# What must stand in a text before the pattern is tried, the pattern, and what takes its place.
_RULES: list[tuple[str, re.Pattern[str], str]] = [
    (" ", re.compile(r"\b(Bearer|Basic|Token)\s+[A-Za-z0-9._~+/=\-]{6,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    ("eyJ", re.compile(r"\beyJ[A-Za-z0-9_\-]{5,}\.[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]*)*"), HIDDEN),
    # Keys as they are handed out: a short prefix, and 16 or more characters.
    ("_", re.compile(r"\b(?:sk|pk|rk|ak|stw|whsec|ek|adm|key)_(?:[a-z]{2,8}_)?[A-Za-z0-9_\-]{16,}"), HIDDEN),
    ("://", re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"), HIDDEN),
    ("=", re.compile(rf"([?&](?:{_PARAMETER})=)[^&\s\"'#<>]*", re.IGNORECASE), rf"\1{HIDDEN}"),
    (
        "-----BEGIN",
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
        ),
        HIDDEN,
    ),
]
_EMAIL = re.compile(r"[A-Za-z0-9._%+'\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){0,8}")


def redact_text(text: str) -> str:
    """Masks bearer tokens, JWTs, keys, passwords in addresses, telling query parameters and e-mail addresses."""
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + "…"
    for sign, pattern, replacement in _RULES:
        if sign in text:
            text = pattern.sub(replacement, text)
    return _EMAIL.sub(lambda found: mask_email(found.group()), text) if "@" in text else text


@lru_cache(maxsize=1024)
def is_secret_key(name: str) -> bool:
    return name not in _PLAIN_KEYS and _SECRET_KEY.search(name) is not None


def redact(value: Any, depth: int = 0) -> Any:
    """Masks a value of any type, going down into mappings and sequences."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redact_text(value)
    if depth >= _DEEPEST:
        return HIDDEN
    if isinstance(value, dict):
        return {
            redact_text(str(key)): HIDDEN if _hides(str(key), member) else redact(member, depth + 1)
            for key, member in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(member, depth + 1) for member in value]
    return redact_text(str(value))


def _hides(key: str, value: Any) -> bool:
    return value is not None and not isinstance(value, bool) and is_secret_key(key)


def redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor; runs last before rendering, so that it sees all that will be written."""
    for key, value in event.items():
        event[key] = HIDDEN if _hides(key, value) else redact(value)
    return event
