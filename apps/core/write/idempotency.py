"""Idempotency-Key: the stored answer commits in the transaction of its effects.

The lock is an advisory transaction lock: a crash releases it, there is no lease to expire. Call inside a unit.
"""

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from apps.core.errors import Conflict
from apps.core.knobs.own import IDEMPOTENCY_HOURS
from apps.core.models import IdempotentResponse
from apps.core.parsing import MalformedJson, parse_json
from apps.core.sealing import open_sealed, seal
from apps.core.statements import Statement


class IdempotencyInProgress(Conflict):
    """Another request with this key is being served; try again in a second."""

    code = "IDEMPOTENCY_IN_PROGRESS"
    message = "A request with this Idempotency-Key is still being served."
    retry_after = 1


class IdempotencyKeyReused(Conflict):
    code = "IDEMPOTENCY_KEY_REUSED"
    message = "This Idempotency-Key was used for another request."


class IdempotencyKeyInvalid(Conflict):
    code = "IDEMPOTENCY_KEY_INVALID"
    message = "An Idempotency-Key has 1 to 255 printable ASCII characters."


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose key it is: the same key of another tenant, subject or route is another key."""

    surface: str
    tenant: str
    subject: str
    method: str
    route: str
    key: str

    def digest(self) -> bytes:
        parts = [self.surface, self.tenant, self.subject, self.method, self.route, self.key]
        return hashlib.sha256(json.dumps(parts).encode()).digest()


@dataclass(frozen=True, slots=True)
class StoredResponse:
    status: int
    headers: dict[str, str]
    body: bytes


def fingerprint(
    *,
    method: str,
    route: str,
    path: dict[str, Any],
    query: list[tuple[str, str]],
    content_type: str,
    body: bytes,
) -> bytes:
    """SHA-256 of what makes two requests the same; a JSON body counts in canonical form, one that is no JSON (and
    will be refused) as it stands."""
    content_type = content_type.partition(";")[0].strip().lower()
    if content_type == "application/json" and body:
        with suppress(MalformedJson):
            value = parse_json(body, max_bytes=len(body))
            body = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    known = [method, route, sorted((k, str(v)) for k, v in path.items()), sorted(query), content_type]
    return hashlib.sha256(json.dumps(known).encode() + b"\0" + body).digest()


_TRY_LOCK = Statement("SELECT pg_try_advisory_xact_lock(%s)")
_STORED = Statement(
    "SELECT statement_timestamp() - completed_at, fingerprint, status, headers, body "
    "FROM core_idempotent_response WHERE key_hash = %s"
)
_STORE = Statement(
    "INSERT INTO core_idempotent_response (key_hash, fingerprint, surface, status, headers, body) "
    "VALUES (%s, %s, %s, %s, %s::jsonb, %s)"
)


def claim(scope: Scope, print_: bytes) -> StoredResponse | None:
    """Takes the key for this transaction, or gives the stored answer to replay.

    Raises:
        IdempotencyInProgress: another transaction holds the key.
        IdempotencyKeyReused: the key stands for another request.
    """
    digest = scope.digest()
    taken = _TRY_LOCK.row(int.from_bytes(digest[:8], "big", signed=True))
    if not (taken and taken[0]):
        raise IdempotencyInProgress
    # A statement of its own: its snapshot is younger than the lock.
    row = _STORED.row(digest)
    if row is None:
        return None
    age, kept_print, status, headers, sealed = row
    if age > timedelta(hours=IDEMPOTENCY_HOURS.get()):
        IdempotentResponse.objects.filter(key_hash=digest).delete()
        return None
    if bytes(kept_print) != print_:
        raise IdempotencyKeyReused
    body = open_sealed(bytes(sealed), purpose="idempotent-response")
    return StoredResponse(status=status, headers=json.loads(headers), body=body)


def store(scope: Scope, print_: bytes, response: StoredResponse) -> None:
    """Keeps the answer; its body is sealed, since it may hold what was shown once."""
    _STORE.run(
        scope.digest(),
        print_,
        scope.surface,
        response.status,
        json.dumps(response.headers),
        seal(response.body, purpose="idempotent-response"),
    )
