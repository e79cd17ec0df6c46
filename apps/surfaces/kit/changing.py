"""How a mutation runs: one transaction with its stored answer, or rolled back when it is only asked about.

Source: design/reliability.md, "One write".
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import orjson
from django.db import connection, transaction
from django.http import HttpResponse, HttpResponseBase
from django.urls import ResolverMatch

from apps.core.errors import DomainError, Invalid, Kind
from apps.core.write import Unit, unit
from apps.core.write.idempotency import (
    IdempotencyInProgress,
    Scope,
    StoredResponse,
    claim,
    fingerprint,
    store,
)
from apps.surfaces.kit.actions import Action
from apps.surfaces.kit.answers import Answer
from apps.surfaces.kit.calls import Call
from apps.surfaces.kit.errors import SurfaceResponse, answer, problem_of
from apps.surfaces.kit.inputs import parameters
from apps.surfaces.kit.parsing import media_type
from apps.surfaces.kit.rendering import dumps
from apps.surfaces.kit.responses import response_of, without
from apps.surfaces.kit.surface import Surface

# ECMA 262, anchored: OpenAPI shows it.
KEY_PATTERN = r"^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$"
# Refusals that a retry with the same key gets again. Wrong input, missing rights, limits and what is only away
# for now are judged anew.
_KEPT = frozenset({Kind.NOT_FOUND, Kind.CONFLICT, Kind.PRECONDITION, Kind.UNPROCESSABLE, Kind.TOO_LARGE})

Work = Callable[[], Answer]


@dataclass(frozen=True, slots=True)
class _Key:
    scope: Scope
    print: bytes


def change(work: Work, *, call: Call, action: Action, surface: Surface) -> HttpResponseBase:
    """Runs the handler, once for each Idempotency-Key.

    Raises:
        IdempotencyInProgress, IdempotencyKeyReused: see apps.core.write.idempotency.
        DomainError: what the handler refuses, where it is not kept.
    """
    key = _key(call, surface)
    if call.validate_only:
        key = None  # its form is looked at all the same
    if action.outside:
        return _outside(work, call=call, key=key, action=action, surface=surface)
    with unit(dry_run=call.validate_only) as staged:
        if key is not None and (stored := claim(key.scope, key.print)) is not None:
            return _replayed(stored)
        try:
            result = _inside(work, staged)
        except DomainError as refusal:
            if key is None or refusal.kind not in _KEPT:
                raise
            # The handler's savepoint is rolled back; only the refusal is kept.
            staged.discard()
            response = answer(problem_of(refusal), surface, call.request)
            kept = _kept(response)
        else:
            response = _rendered(result, surface)
            kept = _kept(response, names=action.shown_once)
        if key is not None:
            staged.before_audit.append(lambda: store(key.scope, key.print, kept))
    return response


def _inside(work: Work, staged: Unit) -> Answer:
    """Runs the handler in a savepoint. A change that no `write()` stands for does not happen."""
    with transaction.atomic():
        result = work()
        if not staged.entries:
            transaction.set_rollback(True)
    return result


def _outside(
    work: Work, *, call: Call, key: _Key | None, action: Action, surface: Surface
) -> HttpResponseBase:
    """For handlers that call over the network between two short writes; these can't be tried out."""
    if call.validate_only:
        sentence = "This route can't be tried out: it asks another system."
        raise Invalid(sentence, details={"validate_only": [sentence]})
    if key is None:
        return _rendered(work(), surface)
    with _held(key.scope):
        with unit():
            stored = claim(key.scope, key.print)
        if stored is not None:
            return _replayed(stored)
        try:
            response = _rendered(work(), surface)
            kept = _kept(response, names=action.shown_once)
        except DomainError as refusal:
            if refusal.kind not in _KEPT:
                raise
            response = answer(problem_of(refusal), surface, call.request)
            kept = _kept(response)
        with unit():
            store(key.scope, key.print, kept)
    return response


@contextmanager
def _held(scope: Scope) -> Iterator[None]:
    """Holds the key over several transactions; PostgreSQL lets go of it when the connection ends."""
    number = int.from_bytes(scope.digest()[8:16], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        row = cursor.fetchone()
    if not (row and row[0]):
        raise IdempotencyInProgress
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


def _key(call: Call, surface: Surface) -> _Key | None:
    request = call.request
    sent = request.headers.get("Idempotency-Key")
    if sent is None or call.principal is None:
        return None
    if not re.fullmatch(KEY_PATTERN, sent):
        sentence = "An Idempotency-Key has 1 to 255 printable ASCII characters."
        raise Invalid(sentence, details={"Idempotency-Key": [sentence]})
    match = request.resolver_match
    route = match.route if isinstance(match, ResolverMatch) else request.path
    scope = Scope(
        surface=surface.name,
        tenant=str(call.principal.tenant_id or ""),
        subject=call.principal.id,
        method=request.method or "",
        route=route,
        key=sent,
    )
    query = parameters(request.META.get("QUERY_STRING", ""))
    # The versions of resource and interface that the caller names are part of what is asked.
    query += [
        (name, request.headers[name]) for name in ("If-Match", "X-API-Version") if name in request.headers
    ]
    body = request.body
    print_ = fingerprint(
        method=scope.method,
        route=route,
        path=dict(call.path),
        query=query,
        content_type=media_type(request) if body else "",
        body=body,
    )
    return _Key(scope, print_)


def _rendered(result: Answer, surface: Surface) -> HttpResponse:
    response = response_of(result, surface)
    if not isinstance(response, HttpResponse):
        raise TypeError("a mutation answers with a body, not with a stream")
    return response


def _kept(response: HttpResponse, *, names: Sequence[str] = ()) -> StoredResponse:
    hidden = frozenset(names)
    body = response.content
    if hidden and body:
        body = dumps(without(orjson.loads(body), hidden))
    headers = {name: response[name] for name in ("ETag", "Location", "Retry-After") if name in response}
    return StoredResponse(status=response.status_code, headers=headers, body=body)


def _replayed(stored: StoredResponse) -> HttpResponse:
    headers = {**stored.headers, "X-Idempotency-Replayed": "true"}
    response = SurfaceResponse(stored.body, status=stored.status, headers=headers)
    if stored.status == 204:
        del response["Content-Type"]
    return response
