"""Who a token speaks for, kept in memory for paths that ask nothing of PostgreSQL (apps.flags.lane).

A token gets here after it was verified and looked up (apps.identity.callers). Everything is forgotten as soon as any
right is withdrawn anywhere: what can void a token raises one of `TOPICS`, and the listener tells within milliseconds,
or within 2 s where its announcement is lost. With the database away no right can be withdrawn, and the memory holds;
a process that alone is cut off from it does not hear of a withdrawal either, and holds it until the token ends. Tokens
of external issuers, whose keys nobody announces, are kept for ten minutes at most.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from apps.core import live
from apps.core.principal import Principal
from apps.identity.keys import TOPIC as KEYS
from apps.identity.models import TOKENS_TOPIC
from apps.identity.verification import VerifiedToken
from apps.tenants.events import ACCESS_TOPIC
from apps.users.services import REVOCATIONS

TOPICS = (KEYS, TOKENS_TOPIC, ACCESS_TOPIC, REVOCATIONS)

_MOST = 10_000
_EXTERNAL_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class _Known:
    principal: Principal
    until: float


class Remembered:
    """Principals by the SHA-256 of their token, the least recently used go first."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._guard = threading.Lock()
        self._generation = 0
        self._listening = False

    @property
    def generation(self) -> int:
        """Ask for it before a token is looked up, and hand it to `put`."""
        if not self._listening:
            self._listening = True
            for topic in TOPICS:
                live.listener.subscribe(topic, self._withdrawn)
        return self._generation

    def get(self, text: str) -> Principal | None:
        """The principal of a token in force that was seen before; None for any other."""
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        with self._guard:
            found = self._known.get(digest)
            if found is None:
                return None
            if found.until <= time.time():
                del self._known[digest]
                return None
            self._known.move_to_end(digest)
            return found.principal

    def put(self, text: str, token: VerifiedToken, principal: Principal, *, generation: int) -> None:
        """Keeps it, unless a right was withdrawn since `generation`: what was looked up may be older than that."""
        until = token.expires_at.timestamp()
        if not token.own:
            until = min(until, time.time() + _EXTERNAL_SECONDS)
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        with self._guard:
            if generation != self._generation:
                return
            self._known[digest] = _Known(principal, until)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)

    def forget(self) -> None:
        with self._guard:
            self._generation += 1
            self._known.clear()

    def _withdrawn(self, revision: int) -> None:
        del revision
        self.forget()


remembered = Remembered()
