"""Signatures that an outsider can check: Ed25519 (RFC 8032), one key for each master key and purpose.

The private key is derived (HKDF-SHA-256, RFC 5869) from the master key and the purpose, so there is no second
secret to keep, to back up or to rotate: the current master key signs, and what an older one signed can be checked
as long as its public key is known. Public keys are no secret; who must check without trusting this installation
keeps them from the day of signing (`manage.py signing_keys`).
"""

import base64
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from apps.core.errors import Unprocessable
from apps.core.sealing.keys import parse_master_keys

ALGORITHM = "Ed25519"
_SALT = b"steward signature v1"


class SignaturePurpose(StrEnum):
    """What a signature is for; each has keys of its own, so that none can be passed off as another."""

    AUDIT_ANCHOR = "audit.anchor"
    ERASURE_LEDGER = "erasure.ledger"
    PURGE_RECEIPT = "tenant.purge_receipt"


class SignatureWrong(Unprocessable):
    """The content was changed, was signed for another purpose, or by a key that is not known here."""

    code = "SIGNATURE_WRONG"
    message = "The signature does not belong to this content."


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature.

    Attributes:
        key_id: the id of the master key that the signing key is derived from.
        algorithm: always `Ed25519`.
        value: 64 bytes.
    """

    key_id: str
    algorithm: str
    value: bytes

    def as_json(self) -> dict[str, str]:
        """For a JSON file: the value as base64."""
        return {
            "key_id": self.key_id,
            "algorithm": self.algorithm,
            "value": base64.b64encode(self.value).decode(),
        }

    @classmethod
    def from_json(cls, body: Any) -> Self:
        """What `as_json` gave.

        Raises:
            SignatureWrong: it has another form.
        """
        try:
            value = base64.b64decode(body["value"], validate=True)
            return cls(str(body["key_id"]), str(body["algorithm"]), value)
        except (KeyError, TypeError, ValueError):
            raise SignatureWrong("The signature can't be read.") from None


def sign(payload: bytes, *, purpose: SignaturePurpose) -> Signature:
    """Signs under the current master key; only `verify` with the same purpose accepts it."""
    key_id, private = next(iter(_signers(settings.MASTER_KEYS, purpose).items()))
    return Signature(key_id, ALGORITHM, private.sign(payload))


def verify(
    payload: bytes, signature: Signature, *, purpose: SignaturePurpose, public_key: bytes | None = None
) -> None:
    """Passes when the signature belongs to exactly these bytes and this purpose.

    Args:
        public_key: 32 bytes kept from the day of signing; without it the key that belongs to one of
            settings.MASTER_KEYS is used.

    Raises:
        SignatureWrong: it does not belong to them, or its key is not known here.
    """
    known = public_key or public_keys(purpose=purpose).get(signature.key_id)
    if known is None:
        raise SignatureWrong(f"The key {signature.key_id!r} is not known here; give its public key.")
    if signature.algorithm != ALGORITHM:
        raise SignatureWrong(f"The algorithm {signature.algorithm!r} is not {ALGORITHM}.")
    try:
        Ed25519PublicKey.from_public_bytes(known).verify(signature.value, payload)
    except (InvalidSignature, ValueError):
        raise SignatureWrong from None


def public_keys(*, purpose: SignaturePurpose) -> dict[str, bytes]:
    """Key id -> 32 bytes of the public key; the first one signs now."""
    return {
        key_id: private.public_key().public_bytes_raw()
        for key_id, private in _signers(settings.MASTER_KEYS, purpose).items()
    }


@lru_cache(maxsize=32)
def _signers(text: str, purpose: SignaturePurpose) -> dict[str, Ed25519PrivateKey]:
    return {key_id: _signer(key, purpose) for key_id, key in parse_master_keys(text).items()}


def _signer(master_key: bytes, purpose: SignaturePurpose) -> Ed25519PrivateKey:
    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=_SALT, info=purpose.value.encode())
    return Ed25519PrivateKey.from_private_bytes(derived.derive(master_key))
