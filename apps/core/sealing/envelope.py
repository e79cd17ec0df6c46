"""One sealed value.

Layout: `STW1`, length of the key id (1 byte), key id, nonce (12), wrapped data key (32 + 16), nonce (12),
ciphertext with its tag (16). Both layers are bound to the purpose and to everything that stands before them, so
that a value can't be moved to a column of another purpose. AES-256-GCM, NIST SP 800-38D.
"""

import base64
import binascii
import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from apps.core.errors import Unprocessable
from apps.core.sealing.keys import parse_master_keys

_MAGIC = b"STW1"
_NONCE = 12
_WRAPPED = 32 + 16


class SealBroken(Unprocessable):
    """The value was changed, is meant for another purpose, or its master key is not among settings.MASTER_KEYS."""

    code = "SEAL_BROKEN"
    message = "A sealed value can't be opened."


@lru_cache(maxsize=8)
def _keys(text: str) -> dict[str, bytes]:
    return parse_master_keys(text)


def current_key_id() -> str:
    """The id of the master key that new values are sealed under."""
    return next(iter(_keys(settings.MASTER_KEYS)))


def seal(plain: bytes, *, purpose: str) -> bytes:
    """Seals `plain`; only `open_sealed` with the same purpose opens it."""
    return _seal_under(current_key_id(), plain, purpose)


def _seal_under(key_id: str, plain: bytes, purpose: str) -> bytes:
    name = key_id.encode()
    header = _MAGIC + bytes([len(name)]) + name
    data_key, first, second = (
        secrets.token_bytes(32),
        secrets.token_bytes(_NONCE),
        secrets.token_bytes(_NONCE),
    )
    bound = header + purpose.encode()
    wrapped = AESGCM(_keys(settings.MASTER_KEYS)[key_id]).encrypt(first, data_key, b"wrap:" + bound)
    body = AESGCM(data_key).encrypt(second, plain, b"data:" + bound)
    return header + first + wrapped + second + body


def _split(sealed: bytes) -> tuple[str, bytes, bytes]:
    """Key id, header, rest."""
    if sealed[:4] != _MAGIC or len(sealed) < 5:
        raise SealBroken
    end = 5 + sealed[4]
    if len(sealed) < end + _NONCE + _WRAPPED + _NONCE + 16:
        raise SealBroken
    try:
        return sealed[5:end].decode("ascii"), sealed[:end], sealed[end:]
    except UnicodeDecodeError:
        raise SealBroken from None


def key_id_of(sealed: bytes) -> str:
    """The id of the master key that the value is sealed under.

    Raises:
        SealBroken: this is no sealed value.
    """
    return _split(bytes(sealed))[0]


def open_sealed(sealed: bytes, *, purpose: str) -> bytes:
    """What was sealed.

    Raises:
        SealBroken: changed, of another purpose, or under a master key that we don't have.
    """
    key_id, header, rest = _split(bytes(sealed))
    key = _keys(settings.MASTER_KEYS).get(key_id)
    if key is None:
        raise SealBroken(f"The value is sealed under the master key {key_id!r}, which is not set.")
    bound = header + purpose.encode()
    first, rest = rest[:_NONCE], rest[_NONCE:]
    wrapped, rest = rest[:_WRAPPED], rest[_WRAPPED:]
    second, body = rest[:_NONCE], rest[_NONCE:]
    try:
        data_key = AESGCM(key).decrypt(first, wrapped, b"wrap:" + bound)
        return AESGCM(data_key).decrypt(second, body, b"data:" + bound)
    except InvalidTag:
        raise SealBroken from None


def reseal(sealed: bytes, *, purpose: str) -> bytes:
    """The same content under the current master key and a fresh data key.

    Raises:
        SealBroken: as `open_sealed`.
    """
    return seal(open_sealed(sealed, purpose=purpose), purpose=purpose)


def seal_text(plain: str, *, purpose: str) -> str:
    """As `seal`, for text columns and JSON: URL-safe base64."""
    return base64.urlsafe_b64encode(seal(plain.encode(), purpose=purpose)).decode()


def open_text(sealed: str, *, purpose: str) -> str:
    """As `open_sealed`, for what `seal_text` gave.

    Raises:
        SealBroken: as `open_sealed`, or no base64.
    """
    return open_sealed(unarmoured(sealed), purpose=purpose).decode()


def reseal_text(sealed: str, *, purpose: str) -> str:
    """As `reseal`, for what `seal_text` gave."""
    return base64.urlsafe_b64encode(reseal(unarmoured(sealed), purpose=purpose)).decode()


def unarmoured(sealed: str) -> bytes:
    """The bytes behind `seal_text`.

    Raises:
        SealBroken: no base64.
    """
    try:
        return base64.b64decode(sealed.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise SealBroken from None
