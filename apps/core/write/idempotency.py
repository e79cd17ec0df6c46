"""Idempotency-Key: the stored answer commits in the transaction of its effects.

The lock is an advisory transaction lock: a crash releases it, there is no lease to expire. Call inside a unit.
"""

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F

from apps.core.clock import now
from apps.core.errors import Conflict
from apps.core.knobs.own import IDEMPOTENCY_HOURS
from apps.core.models import IdempotentResponse
from apps.core.parsing import MalformedJson, parse_json
from apps.core.sealing import open_sealed, seal


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


def claim(scope: Scope, print_: bytes) -> StoredResponse | None:
    """Takes the key for this transaction, or gives the stored answer to replay.

    Raises:
        IdempotencyInProgress: another transaction holds the key.
        IdempotencyKeyReused: the key stands for another request.
    """
    digest = scope.digest()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(digest[:8], "big", signed=True)]
        )
        row = cursor.fetchone()
    if not (row and row[0]):
        raise IdempotencyInProgress
    stored = (
        IdempotentResponse.objects.filter(key_hash=digest).annotate(age=now() - F("completed_at")).first()
    )
    if stored is None:
        return None
    if stored.age.total_seconds() > IDEMPOTENCY_HOURS.get() * 3600:
        stored.delete()
        return None
    if bytes(stored.fingerprint) != print_:
        raise IdempotencyKeyReused
    body = open_sealed(bytes(stored.body), purpose="idempotent-response")
    return StoredResponse(status=stored.status, headers=dict(stored.headers), body=body)


def store(scope: Scope, print_: bytes, response: StoredResponse) -> None:
    """Keeps the answer; its body is sealed, since it may hold what was shown once."""
    IdempotentResponse.objects.create(
        key_hash=scope.digest(),
        fingerprint=print_,
        surface=scope.surface,
        status=response.status,
        headers=response.headers,
        body=seal(response.body, purpose="idempotent-response"),
    )
