"""Who stands behind a session of Nile. Nile's answer is kept for 30 s; everything of ours is asked on each request.

A session is void from the moment at which its person is suspended or blocked, and for good where it was seen before
the person's sessions were revoked. Nile does not say when a session began, so the moment counts at which we first saw
it (NileSession).
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog
from django.conf import settings

from apps.core.clock import now
from apps.core.principal import Principal
from apps.identity.callers import stranger
from apps.identity.errors import TokenRefused
from apps.identity.gateways.nile import TIMEOUT_SECONDS, Nile, NileAway
from apps.identity.selectors import nile_session, person_of
from apps.identity.services.nile import see_session
from apps.users.models import revoked

log = structlog.get_logger(__name__)

GOOD_SECONDS = 30.0
# A refusal is kept only as long as a page needs to send its requests: who signs in has a new session anyway.
REFUSED_SECONDS = 5.0
_REMEMBERED = 10_000
_LOCKS = 64


@dataclass(frozen=True, slots=True)
class _Said:
    subject: str | None
    until: float


class Answers:
    """What Nile said of sessions, by their SHA-256, in this process; the least recently used go first.

    Args:
        ask: Nile's id of the person behind a session, None for no session; may raise NileAway, which is not kept.
    """

    def __init__(self, ask: Callable[[str], str | None], *, size: int = _REMEMBERED) -> None:
        self._ask = ask
        self._size = size
        self._known: OrderedDict[str, _Said] = OrderedDict()
        self._guard = threading.Lock()
        self._asking = [threading.Lock() for _ in range(_LOCKS)]

    def subject(self, token: str, digest: str) -> str | None:
        """Nile's id of the person; None where it is no session.

        Raises:
            NileAway: it isn't known, and Nile doesn't say.
        """
        said = self._kept(digest)
        if said is not None:
            return said.subject
        # A page sends ten requests at once: one of them asks.
        asking = self._asking[int(digest[:8], 16) % _LOCKS]
        if not asking.acquire(timeout=TIMEOUT_SECONDS):
            raise NileAway
        try:
            said = self._kept(digest) or self._fetched(token, digest)
        finally:
            asking.release()
        return said.subject

    def _fetched(self, token: str, digest: str) -> _Said:
        began = time.monotonic()
        subject = self._ask(token)
        said = _Said(subject, began + (REFUSED_SECONDS if subject is None else GOOD_SECONDS))
        with self._guard:
            self._known[digest] = said
            self._known.move_to_end(digest)
            while len(self._known) > self._size:
                self._known.popitem(last=False)
        return said

    def _kept(self, digest: str) -> _Said | None:
        with self._guard:
            said = self._known.get(digest)
            if said is None:
                return None
            if said.until <= time.monotonic():
                del self._known[digest]
                return None
            self._known.move_to_end(digest)
            return said


class _Service:
    """The answers of the Nile that settings name, built anew where they change (tests)."""

    def __init__(self) -> None:
        self._made_of: tuple[str, list[str]] | None = None
        self._answers: Answers | None = None
        self._guard = threading.Lock()

    def answers(self) -> Answers:
        parts = (settings.NILE_URL, settings.NILE_NETWORKS)
        with self._guard:
            if self._answers is None or parts != self._made_of:
                self._answers = Answers(Nile(parts[0], networks=parts[1]).subject)
                self._made_of = parts
            return self._answers


_service = _Service()


def nile_caller(token: str) -> Principal:
    """The principal of a session of Nile; settings.NILE_URL is set. It is the issuer's name too.

    A person of ours has the staff roles of their row, nothing of Nile's. Somebody whom Nile knows and we don't is a
    stranger without any right, with the id `issuer|subject`.

    Raises:
        TokenRefused: no session, one that is over, or of a person who is suspended, blocked or revoked.
        NileAway: Nile doesn't say.
    """
    try:
        return _caller(token)
    except TokenRefused as refused:
        log.info("token_refused", reason=refused.reason)
        raise


def _caller(token: str) -> Principal:
    issuer = settings.NILE_URL
    # Before Nile is asked: a revocation in between ends this session too.
    moment = now()
    digest = hashlib.sha256(token.encode()).hexdigest()
    subject = _service.answers().subject(token, digest)
    if subject is None:
        raise TokenRefused("nile_session")
    session = f"nile:{digest[:32]}"
    seen = nile_session(digest)
    if seen is not None and (seen.identity.issuer, seen.identity.subject) == (issuer, subject):
        identity, first_seen = seen.identity, seen.first_seen_at
    else:
        found = person_of(issuer, subject)
        if found is None:
            return replace(stranger(issuer, subject), session=session)
        identity, first_seen = found, see_session(identity=found, digest=digest, moment=moment)
    person = identity.user
    if not person.is_active:
        raise TokenRefused("person_stopped")
    if revoked(person, first_seen):
        raise TokenRefused("person_revoked")
    return person.principal(via="", address=None, session=session)
