"""Tokens of every sort, well and badly made: signed by hand, so that no library refuses to write them."""

import base64
import json
import time
from typing import Any

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from django.conf import settings
from joserfc.jwk import RSAKey

from apps.core.principal import system
from apps.identity.models import SigningKey
from apps.identity.services import ensure_signing_key
from apps.identity.services.keys import private_key

# One pair for all tests that don't care which: making one takes a tenth of a second.
STRANGER = RSAKey.generate_key(2048)
OTHER = RSAKey.generate_key(2048)


def b64(plain: bytes) -> str:
    return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()


def rs256(key: RSAKey, message: bytes) -> bytes:
    raw = key.private_key
    assert isinstance(raw, RSAPrivateKey)
    return raw.sign(message, padding.PKCS1v15(), hashes.SHA256())


def hs256(secret: bytes, message: bytes) -> bytes:
    mac = hmac.HMAC(secret, hashes.SHA256())
    mac.update(message)
    return mac.finalize()


def claims(**changed: Any) -> dict[str, Any]:
    """Good claims of the embedded issuer, with changes; None leaves a claim out."""
    instant = int(time.time())
    whole = {
        "iss": settings.TOKEN_ISSUER,
        "aud": settings.TOKEN_AUDIENCE,
        "sub": "svc-1",
        "iat": instant,
        "exp": instant + 600,
        "jti": "tok-1",
        **changed,
    }
    return {name: value for name, value in whole.items() if value is not None}


def token(key: RSAKey, header: dict[str, Any], body: dict[str, Any] | bytes) -> str:
    """A token signed with RS256, whatever its header says."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    signed = f"{b64(json.dumps(header).encode())}.{b64(payload)}"
    return f"{signed}.{b64(rs256(key, signed.encode()))}"


def own_key() -> tuple[SigningKey, RSAKey]:
    """The embedded issuer's present key; made where there is none."""
    row = ensure_signing_key(actor=system("test"))
    return row, private_key(row)


def own_token(*, header: dict[str, Any] | None = None, **changed: Any) -> str:
    """A token as the embedded issuer would sign it, with changed claims and header."""
    row, key = own_key()
    return token(key, {"alg": "RS256", "kid": row.kid, "typ": "JWT", **(header or {})}, claims(**changed))


def public_jwk(key: RSAKey, kid: str, **more: Any) -> dict[str, Any]:
    return {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": "RS256", **more}
