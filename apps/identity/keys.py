"""Where a verifier's keys come from: our own table, or the JWK set of another issuer."""

import threading
import time
from typing import Protocol

import structlog
from django.db import DatabaseError
from joserfc.jwk import RSAKey

from apps.core.clock import now
from apps.core.errors import DomainError
from apps.core.live import listener
from apps.core.outbound import Client
from apps.identity import jwks
from apps.identity.models import SigningKey
from apps.identity.selectors import published_keys

log = structlog.get_logger(__name__)

# After an attempt that failed; until then what was read last is used.
_PAUSE_SECONDS = 2.0

TOPIC = "identity.keys"


class KeySource(Protocol):
    """The public keys of one issuer."""

    def key(self, kid: str) -> RSAKey | None:
        """The key of that name, if the issuer publishes it now."""


class EmbeddedKeys:
    """The embedded issuer's keys: read from the database, kept until the topic `identity.keys` is raised.

    With the database away, what was read last goes on being used.
    """

    # How long a change may stay unseen where no announcement arrives.
    _SECONDS = 30.0

    def __init__(self) -> None:
        self._rows: dict[str, tuple[SigningKey, RSAKey]] = {}
        self._read_at: float | None = None
        self._raised = threading.Event()
        self._guard = threading.Lock()
        self._listens = False
        self._next_try = 0.0

    def key(self, kid: str) -> RSAKey | None:
        if not self._is_fresh():
            self._read()
        found = self._rows.get(kid)
        if found is None:
            # The first key of an empty database signs at once: nobody had time to announce it.
            self._read(wait=True)
            found = self._rows.get(kid)
        if found is None or not _is_published(found[0]):
            return None
        return found[1]

    def public_set(self) -> dict[str, list[dict[str, object]]]:
        """The JWK set that we publish."""
        if not self._is_fresh():
            self._read()
        return {"keys": [row.public_jwk for row, _ in self._rows.values() if _is_published(row)]}

    def forget(self) -> None:
        """Reads anew at the next question."""
        self._next_try = 0.0
        self._raised.set()

    def _is_fresh(self) -> bool:
        if not self._listens:
            # Here and not at the start: only a process that verifies tokens needs to listen.
            self._listens = True
            listener.subscribe(TOPIC, lambda _revision: self.forget())
        if self._read_at is None:
            return False
        if time.monotonic() < self._next_try:
            return True
        return not self._raised.is_set() and time.monotonic() - self._read_at < self._SECONDS

    def _read(self, *, wait: bool = False) -> None:
        if not self._guard.acquire(blocking=wait or self._read_at is None):
            # Another thread reads. Where PostgreSQL says nothing that takes seconds, and not all may wait in a row.
            return
        try:
            self._raised.clear()
            try:
                rows = published_keys(now())
            except DatabaseError as away:
                self._raised.set()
                if self._read_at is None:
                    raise
                self._next_try = time.monotonic() + _PAUSE_SECONDS
                log.warning("signing_keys_stale", error=type(away).__name__)
                return
            known = {row.kid: jwks.usable(row.public_jwk) for row in rows}
            self._rows = {row.kid: (row, key) for row in rows if (key := known[row.kid]) is not None}
            self._read_at = time.monotonic()
        finally:
            self._guard.release()


def _is_published(row: SigningKey) -> bool:
    return row.published_until is None or row.published_until > now()


class ExternalKeys:
    """Another issuer's keys, fetched from its JWK set over the guarded client.

    At most one attempt a minute in each process, whether it succeeds or not, and never two at once. While one is
    under way, known keys go on verifying. A set that can't be fetched anew is used for a day more. The copy is each
    process's own: in a shared cache, whoever can write there could put in a key.
    """

    _PAUSE = 60.0
    _FRESH = 600.0
    _LONGEST = 86_400.0
    TIMEOUT = 2.0

    def __init__(self, *, issuer: str, url: str, client: Client) -> None:
        self._issuer = issuer
        self._url = url
        self._client = client
        self._keys: dict[str, RSAKey] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._fetching = threading.Lock()

    def key(self, kid: str) -> RSAKey | None:
        found = self._known(kid)
        if found is None:
            # Whoever comes while the set is being fetched waits for it: it may bring this key.
            if self._may_try() and self._fetching.acquire(timeout=self.TIMEOUT + 1.0):
                self._fetch_and_release()
            return self._known(kid)
        if self._is_old() and self._may_try() and self._fetching.acquire(blocking=False):
            self._fetch_and_release()
            return self._known(kid)
        return found

    def _known(self, kid: str) -> RSAKey | None:
        if self._fetched_at is None or time.monotonic() - self._fetched_at > self._LONGEST:
            return None
        return self._keys.get(kid)

    def _is_old(self) -> bool:
        return self._fetched_at is None or time.monotonic() - self._fetched_at > self._FRESH

    def _may_try(self) -> bool:
        # Also true while an attempt is under way: the lock decides who makes it and who waits.
        return (
            self._fetching.locked()
            or self._tried_at is None
            or time.monotonic() - self._tried_at >= self._PAUSE
        )

    def _fetch_and_release(self) -> None:
        try:
            if self._tried_at is not None and time.monotonic() - self._tried_at < self._PAUSE:
                return  # somebody else made the attempt while we waited for the lock
            self._tried_at = time.monotonic()
            self._fetch()
        finally:
            self._fetching.release()

    def _fetch(self) -> None:
        try:
            answer = self._client.request("GET", self._url, headers={"Accept": "application/json"})
            if answer.status != 200:
                raise jwks.SetUnusable(f"The answer has the status {answer.status}.")
            keys = jwks.parse_set(answer.body)
        except (DomainError, jwks.SetUnusable) as failure:
            log.warning("jwks_fetch_failed", issuer=self._issuer, error=str(failure))
            return
        # A key that has not changed stays the same object: tokens verified with it stay remembered.
        self._keys = {kid: old if (old := self._keys.get(kid)) == key else key for kid, key in keys.items()}
        self._fetched_at = time.monotonic()
        log.info("jwks_fetched", issuer=self._issuer, keys=len(keys))
