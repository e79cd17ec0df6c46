"""Is this token genuine and in force? One verifier for the embedded issuer and all external ones.

What it answers is remembered by the token's SHA-256 (one RS256 verification is 55 µs). Remembering saves nothing but
the arithmetic: time and the key's being published still are asked each time here, and revocation each time in
apps.identity.callers.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import structlog
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry

from apps.core.clock import now
from apps.identity import compact
from apps.identity.claims import PLATFORM_RIGHTS, Claims, checked
from apps.identity.errors import TokenRefused
from apps.identity.trust import TrustedIssuer, trusted_issuer

log = structlog.get_logger(__name__)

# The one algorithm: what a token's header says only decides whether it is refused.
_RS256 = JWSRegistry(algorithms=[compact.ALGORITHM]).get_alg(compact.ALGORITHM)
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """A genuine token in force; whether it was revoked is not known yet.

    Attributes:
        issuer: whose it is.
        platform: whether that is an issuer of the platform.
        own: whether it is the embedded issuer.
        rights: scopes and roles; without platform rights where `platform` is false.
        session: `sid`, else `jti`: what a fresh proof is bound to.
        issued_at: to the microsecond where the embedded issuer says so, else to the second.
        claims: all claims as they came, for what has no attribute here.
    """

    issuer: str
    platform: bool
    own: bool
    subject: str
    issued_at: datetime
    expires_at: datetime
    jti: str | None
    session: str | None
    tenant_id: str | None
    workspace_id: str | None
    plan_id: str | None
    rights: frozenset[str]
    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Memory:
    token: VerifiedToken
    issuer: TrustedIssuer
    kid: str
    key: RSAKey


class _Remembered:
    """Verified tokens, the least recently used go first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._known: OrderedDict[bytes, _Memory] = OrderedDict()
        self._guard = threading.Lock()

    def get(self, digest: bytes) -> _Memory | None:
        with self._guard:
            found = self._known.get(digest)
            if found is not None:
                self._known.move_to_end(digest)
            return found

    def put(self, digest: bytes, memory: _Memory) -> None:
        with self._guard:
            self._known[digest] = memory
            while len(self._known) > self._size:
                self._known.popitem(last=False)

    def drop(self, digest: bytes) -> None:
        with self._guard:
            self._known.pop(digest, None)

    def clear(self) -> None:
        with self._guard:
            self._known.clear()


_remembered = _Remembered(_REMEMBERED)


def verify(text: str) -> VerifiedToken:
    """The token behind `text`.

    Raises:
        TokenRefused: it is not genuine, not for us, or not in force; the reason is logged, never told.
    """
    try:
        return _verify(text)
    except TokenRefused as refused:
        log.info("token_refused", reason=refused.reason)
        raise


def _verify(text: str) -> VerifiedToken:
    if len(text) > compact.MAX_CHARACTERS:
        raise TokenRefused("too_long")
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    memory = _remembered.get(digest)
    if memory is not None and _still_holds(memory):
        return memory.token
    _remembered.drop(digest)
    unverified = compact.read(text)
    issuer = trusted_issuer(unverified.claims.get("iss"))
    if issuer is None:
        raise TokenRefused("issuer")
    key = issuer.keys.key(unverified.kid)
    if key is None:
        raise TokenRefused("unknown_key")
    if not _RS256.verify(unverified.signing_input, unverified.signature, key):
        raise TokenRefused("signature")
    token = _shaped(
        issuer, unverified.claims, checked(unverified.claims, audience=issuer.audience, moment=now())
    )
    _remembered.put(digest, _Memory(token=token, issuer=issuer, kid=unverified.kid, key=key))
    return token


def _still_holds(memory: _Memory) -> bool:
    """False: look again from the start (its time is over, its key is withdrawn, its issuer no longer trusted)."""
    return (
        memory.token.expires_at > now()
        and trusted_issuer(memory.issuer.name) is memory.issuer
        and memory.issuer.keys.key(memory.kid) == memory.key
    )


def _shaped(issuer: TrustedIssuer, claims: dict[str, Any], found: Claims) -> VerifiedToken:
    if not issuer.any_tenant and found.tenant_id not in {None, issuer.tenant_id}:
        raise TokenRefused("tenant_of_issuer")
    return VerifiedToken(
        issuer=issuer.name,
        platform=issuer.platform,
        own=issuer.own,
        subject=found.subject,
        issued_at=_issued_at(issuer, claims, found),
        expires_at=found.expires_at,
        jti=found.jti,
        session=found.session or found.jti,
        tenant_id=issuer.tenant_id or found.tenant_id,
        workspace_id=found.workspace_id,
        plan_id=found.plan_id,
        rights=found.rights if issuer.platform else found.rights - PLATFORM_RIGHTS,
        claims=MappingProxyType(claims),
    )


def _issued_at(issuer: TrustedIssuer, claims: dict[str, Any], found: Claims) -> datetime:
    """`iat` counts seconds, a revocation stamp finer: our own tokens say the rest in `iat_us`.

    Without it, whoever signs in within the second of a revocation would get a token that is void from the start.
    """
    exact = claims.get("iat_us")
    whole = int(found.issued_at.timestamp())
    if not issuer.own or not isinstance(exact, int) or exact // 1_000_000 != whole:
        return found.issued_at
    return found.issued_at.replace(microsecond=exact % 1_000_000)


def forget_tokens() -> None:
    """Verifies every token anew at its next use."""
    _remembered.clear()
