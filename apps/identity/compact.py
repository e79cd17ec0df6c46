"""A JWS in compact form, read strictly: what is not written in the one right way is no token.

Sources: RFC 7515 (JWS), RFC 7519 (JWT), RFC 8725 (best current practice). Nothing here trusts what it reads.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

from apps.core.errors import DomainError
from apps.core.parsing import parse_json
from apps.identity.errors import TokenRefused

MAX_CHARACTERS = 8192
_MAX_HEADER_BYTES = 2048
_MAX_SIGNATURE_BYTES = 1024  # RSA-8192
_MAX_DEPTH = 8

ALGORITHM = "RS256"
_SEGMENT = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
# RFC 9068 names access tokens `at+jwt`; `typ` may leave out `application/` and case does not count (RFC 7515 4.1.9).
_TYPES = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})


@dataclass(frozen=True, slots=True)
class Unverified:
    """A token whose signature nobody has looked at."""

    kid: str
    claims: dict[str, Any]
    signing_input: bytes
    signature: bytes


def read(text: str) -> Unverified:
    """The parts of a token.

    `jku`, `jwk`, `x5u` and `x5c` in the header are ignored: keys come from the configured issuer alone. `crit` and
    `b64` ask for something that we don't do, and are refused (RFC 7515 4.1.11, RFC 7797).

    Raises:
        TokenRefused: too long, not three canonical base64url parts, not strict JSON objects, not RS256, no `kid`.
    """
    if len(text) > MAX_CHARACTERS:
        raise TokenRefused("too_long")
    parts = text.split(".")
    if len(parts) != 3:
        raise TokenRefused("not_compact")
    header = _object(_decoded(parts[0]), max_bytes=_MAX_HEADER_BYTES)
    _check_header(header)
    claims = _object(_decoded(parts[1]), max_bytes=MAX_CHARACTERS)
    signature = _decoded(parts[2])
    if len(signature) > _MAX_SIGNATURE_BYTES:
        raise TokenRefused("signature_too_long")
    return Unverified(
        kid=header["kid"],
        claims=claims,
        signing_input=f"{parts[0]}.{parts[1]}".encode("ascii"),
        signature=signature,
    )


def _check_header(header: dict[str, Any]) -> None:
    if header.get("alg") != ALGORITHM:
        raise TokenRefused("algorithm")
    if "crit" in header or "b64" in header:
        raise TokenRefused("critical_header")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise TokenRefused("type")
    kid = header.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= 255:
        raise TokenRefused("no_kid")


def _decoded(segment: str) -> bytes:
    """base64url without padding, in the one canonical spelling: unused bits zero, no white space."""
    if not _SEGMENT.fullmatch(segment) or len(segment) % 4 == 1:
        raise TokenRefused("base64")
    try:
        plain = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except (binascii.Error, ValueError):
        raise TokenRefused("base64") from None
    if base64.urlsafe_b64encode(plain).rstrip(b"=").decode("ascii") != segment:
        raise TokenRefused("base64")
    return plain


def _object(body: bytes, *, max_bytes: int) -> dict[str, Any]:
    try:
        found = parse_json(body, max_bytes=max_bytes, max_depth=_MAX_DEPTH)
    except DomainError:
        raise TokenRefused("json") from None
    if not isinstance(found, dict):
        raise TokenRefused("json")
    return found
