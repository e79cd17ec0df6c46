"""API keys of tenants: `gai-`, 32 random bytes in base 62, and a checksum. Pure.

Source: contracts/automation.md, "API keys". The checksum (CRC-32, six characters) tells a mistyped key from an
unknown one without a look into the database; it guards nothing.
"""

import hashlib
import hmac
import secrets
import string
import zlib

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
HEAD = "gai-"
_BODY = 43  # characters that 32 bytes need in base 62
_CHECKSUM = 6
LENGTH = len(HEAD) + _BODY + _CHECKSUM
PREFIX = len(HEAD) + 8
SUFFIX = 4


def _base62(number: int, width: int) -> str:
    found = ""
    while number:
        number, digit = divmod(number, 62)
        found = _ALPHABET[digit] + found
    return found.rjust(width, _ALPHABET[0])


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECKSUM)


def generate() -> str:
    """A new key in clear: shown once, never stored."""
    body = _base62(int.from_bytes(secrets.token_bytes(32), "big"), _BODY)
    return HEAD + body + _checksum(body)


def well_formed(key: str) -> bool:
    """True for the shape and checksum of a key; whether it exists is another question."""
    if len(key) != LENGTH or not key.isascii() or not key.startswith(HEAD):
        return False
    body = key[len(HEAD) : -_CHECKSUM]
    return set(body) <= set(_ALPHABET) and hmac.compare_digest(_checksum(body), key[-_CHECKSUM:])


def digest(key: str, *, pepper: str) -> bytes:
    """What is stored: HMAC-SHA-256 of the key under the pepper."""
    return hmac.new(pepper.encode(), key.encode("utf-8", "replace"), hashlib.sha256).digest()
