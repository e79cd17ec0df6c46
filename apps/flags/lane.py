"""The short way for what is asked most: evaluate, bootstrap and OFREP, answered in front of Django.

It answers the plain case from the memory of its process: a caller who is known, within the limit, asks for something
that there is. Whatever else it is, every refusal above all, takes the long way: the same addresses have views of the
service surface behind Django's middleware, made of the same answers (apps.flags.written), and they say what is wrong.
So no rule stands here alone, and with PostgreSQL and Redis away the plain case goes on.

Requests on the short way are counted and measured as all others, and leave no line in the access log.
"""

import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any, Final

import structlog
from django.conf import settings
from ulid import ULID

from apps.core import ids
from apps.core.errors import DomainError
from apps.core.observability.addresses import client_of, is_inside
from apps.core.observability.metrics import Meter
from apps.core.observability.middleware import ACCEPTED_ID
from apps.core.parsing import parse_json
from apps.core.principal import Principal
from apps.flags.asking import Question, question
from apps.flags.counting import counts
from apps.flags.ofrep import context_of, tenant_of
from apps.flags.snapshot import holder
from apps.flags.written import STALE, Body, Written, written
from apps.identity.remembered import remembered
from apps.surfaces.internal import HEADER, is_name, principal_named
from apps.surfaces.kit.inputs import parameters
from apps.surfaces.kit.throttling import Budget, burst_of, limit_of, throttle
from apps.surfaces.kit.versions import is_known
from apps.surfaces.ofrep import SINGLE
from apps.surfaces.ofrep import SURFACE as OFREP
from apps.surfaces.service import SURFACE as SERVICE

log = structlog.get_logger(__name__)

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

INTERNAL: Final = "/internal/admin/flags/"
TENANT: Final = "/api/v1/platform/flags/"
BULK: Final = SINGLE.rstrip("/")
EVALUATE: Final = "/evaluate"
# Longer bodies and queries take the long way.
_MOST_BODY = 65_536
_LONGEST_QUERY = 1_024
_LIMIT_SECONDS = 1.0
_SERVICE_ID = f"HTTP_{HEADER.upper().replace('-', '_')}"
_PLAIN = (
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
)


@dataclass(frozen=True, slots=True)
class _Short:
    """An answer of the short way. `is_known`: the caller has it, so it is 304 and empty."""

    content: bytes
    meter: Meter
    budget: Budget
    stale: bool
    etag: str | None = None
    is_known: bool = False


@dataclass(frozen=True, slots=True)
class _Meters:
    """Families as the long way's, one for each kind of answer."""

    evaluated: Meter
    bootstrapped: Meter
    unchanged: Meter
    asked: Meter
    resolved: Meter
    resolved_none: Meter

    @classmethod
    def make(cls) -> "_Meters":
        flags, ofrep = "internal/admin/flags", "ofrep/v1/evaluate/flags"
        return cls(
            evaluated=Meter(flags, "GET", 200),
            bootstrapped=Meter(f"{flags}/bootstrap", "GET", 200),
            unchanged=Meter(f"{flags}/bootstrap", "GET", 304),
            asked=Meter("api/v1/platform/flags", "GET", 200),
            resolved=Meter(ofrep, "POST", 200),
            resolved_none=Meter(ofrep, "POST", 304),
        )


class Lane:
    """WSGI in front of WSGI."""

    def __init__(self, behind: Application) -> None:
        self._behind = behind
        self._meters = _Meters.make()
        self._limits: dict[str, tuple[float, int, int]] = {}
        self._request_id, self._numbers = f"req_{ULID()}", itertools.count()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == SINGLE or (path != BULK and not path.startswith((INTERNAL, SINGLE, TENANT))):
            # The route of one flag, without its key, is no route.
            return self._behind(environ, start_response)
        started = time.perf_counter()
        try:
            found = self._short(environ, path)
        except DomainError:
            found = None  # its view says it, in the surface's words
        except Exception:
            log.exception("flag_lane_failed")
            found = None
        if found is None:
            return self._behind(environ, start_response)
        status = "304 Not Modified" if found.is_known else "200 OK"
        start_response(status, self._headers(environ, found))
        found.meter.observe(time.perf_counter() - started)
        return (found.content,)

    def _short(self, environ: Environ, path: str) -> _Short | None:
        if "HTTP_ORIGIN" in environ:
            return None  # cross-origin rules are the middleware's
        method = environ["REQUEST_METHOD"]
        if path.startswith(INTERNAL):
            return self._internal(environ, path[len(INTERNAL) :]) if method == "GET" else None
        if path.startswith(TENANT):
            return self._tenant(environ, path[len(TENANT) :]) if method == "GET" else None
        return self._ofrep(environ, path[len(SINGLE) :]) if method == "POST" else None

    # --- internal: known by where they stand ---

    def _internal(self, environ: Environ, rest: str) -> _Short | None:
        subject = _inside(environ)
        query = environ.get("QUERY_STRING", "")
        if subject is None or len(query) > _LONGEST_QUERY:
            return None
        asked = _question(query)
        answers = written()
        if asked is None or not answers.snapshot.knows_tenant(asked.tenant_id):
            return None
        if rest == "bootstrap":
            return self._bootstrap(environ, answers, asked, subject) if not asked.context else None
        if not rest.endswith(EVALUATE):
            return None
        return self._evaluated(
            answers, rest[: -len(EVALUATE)], asked, "service.internal", subject, self._meters.evaluated
        )

    def _bootstrap(self, environ: Environ, answers: Written, asked: Question, subject: str) -> _Short:
        body = answers.bootstrap(asked.tenant_id, at=time.time())
        budget = self._budget("service.internal", subject)
        return self._conditional(environ, body, budget, self._meters.bootstrapped, self._meters.unchanged)

    # --- tenants: known by a token that was let in before ---

    def _tenant(self, environ: Environ, rest: str) -> _Short | None:
        principal = _bearer(environ)
        if principal is None or principal.tenant_id is None or environ.get("QUERY_STRING"):
            return None
        if not rest.endswith(EVALUATE):
            return None
        answers = written()
        asked = Question(ids.public(ids.TENANT, principal.tenant_id), {})
        if not answers.snapshot.knows_tenant(asked.tenant_id):
            return None
        subject = SERVICE.budget_of(principal, None)
        return self._evaluated(answers, rest[: -len(EVALUATE)], asked, "service", subject, self._meters.asked)

    def _evaluated(
        self, answers: Written, key: str, asked: Question, scope: str, subject: str, meter: Meter
    ) -> _Short | None:
        decision = answers.snapshot.evaluate(key, asked.tenant_id, asked.context, at=time.time())
        if decision is None:
            return None
        budget = self._budget(scope, subject)
        counts.note(key, decision.variation)
        return _Short(answers.decision(decision), meter, budget, holder.stale())

    # --- OFREP ---

    def _ofrep(self, environ: Environ, key: str) -> _Short | None:
        principal = _bearer(environ)
        if principal is None or environ.get("QUERY_STRING"):
            return None
        body = _body(environ)
        if body is None:
            return None
        context = context_of(parse_json(body) if body else {})
        tenant_id = tenant_of(principal, context)
        answers, at = written(), time.time()
        if tenant_id is not None and not answers.snapshot.knows_tenant(tenant_id):
            return None
        subject = OFREP.budget_of(principal, None)
        if not key:
            etag = answers.ofrep_etag(tenant_id, context, at=at)
            budget = self._budget("ofrep", subject)
            counts.note_all()
            if is_known(etag, environ.get("HTTP_IF_NONE_MATCH")):
                return _Short(b"", self._meters.resolved_none, budget, holder.stale(), etag, is_known=True)
            content = answers.ofrep_bulk(tenant_id, context, at=at)
            return _Short(content, self._meters.resolved, budget, holder.stale(), etag)
        decision = answers.snapshot.evaluate(key, tenant_id, context, at=at)
        if decision is None:
            return None
        budget = self._budget("ofrep", subject)
        counts.note(key, decision.variation)
        return _Short(answers.ofrep(decision), self._meters.resolved, budget, holder.stale())

    # --- what all have in common ---

    def _conditional(
        self, environ: Environ, body: Body, budget: Budget, changed: Meter, unchanged: Meter
    ) -> _Short:
        if is_known(body.etag, environ.get("HTTP_IF_NONE_MATCH")):
            return _Short(b"", unchanged, budget, holder.stale(), body.etag, is_known=True)
        return _Short(body.content, changed, budget, holder.stale(), body.etag)

    def _budget(self, scope: str, subject: str) -> Budget:
        """Raises BudgetSpent: the long way finds it spent as well, and says so."""
        now = time.monotonic()
        known = self._limits.get(scope)
        if known is None or known[0] <= now:
            known = self._limits[scope] = (now + _LIMIT_SECONDS, limit_of(scope), burst_of(scope))
        return throttle().take(scope, subject, limit=known[1], burst=known[2])

    def _headers(self, environ: Environ, found: _Short) -> list[tuple[str, str]]:
        offered = environ.get("HTTP_X_REQUEST_ID")
        if offered is None or not ACCEPTED_ID.fullmatch(offered):
            offered = f"{self._request_id}-{next(self._numbers):x}"
        correlation = environ.get("HTTP_X_CORRELATION_ID")
        if correlation is None or not ACCEPTED_ID.fullmatch(correlation):
            correlation = offered
        budget = found.budget
        headers = [
            *(_PLAIN[1:] if found.is_known else _PLAIN),
            ("X-Request-Id", offered),
            ("X-Correlation-Id", correlation),
            ("X-RateLimit-Limit", str(budget.limit)),
            ("X-RateLimit-Remaining", str(max(0, budget.remaining))),
            ("X-RateLimit-Reset", str(budget.reset)),
        ]
        if not found.is_known:
            headers.append(("Content-Length", str(len(found.content))))
        if found.etag is not None:
            headers.append(("ETag", found.etag))
        if found.stale:
            headers.extend(STALE.items())
        return headers


def _inside(environ: Environ) -> str | None:
    """Whose requests are counted together; None for a caller who is not let in, or not by a good name."""
    return _subject(
        environ.get("REMOTE_ADDR", ""),
        environ.get("HTTP_X_FORWARDED_FOR"),
        environ.get(_SERVICE_ID, ""),
        tuple(environ),
        tuple(settings.INTERNAL_NETWORKS),
        tuple(settings.TRUSTED_PROXIES),
    )


@lru_cache(maxsize=1024)
def _subject(
    peer: str,
    forwarded_for: str | None,
    name: str,
    present: tuple[str, ...],
    *rules: tuple[str, ...],
) -> str | None:
    """The same caller asks thousands of times, with the same headers `present`; `rules` are the settings that the
    answer hangs on."""
    del rules
    headers = (each for each in present if each.startswith("HTTP_"))
    meta: dict[str, Any] = dict.fromkeys(headers, "") | {"REMOTE_ADDR": peer}
    if forwarded_for is not None:
        meta["HTTP_X_FORWARDED_FOR"] = forwarded_for
    if (name and not is_name(name)) or not is_inside(meta):
        return None
    return SERVICE.budget_of(principal_named(name), client_of(meta))


@lru_cache(maxsize=8192)
def _question(query: str) -> Question | None:
    try:
        return question(parameters(query))
    except DomainError:
        return None


def _bearer(environ: Environ) -> Principal | None:
    scheme, _, text = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return remembered.get(text) if scheme.lower() == "bearer" else None


def _body(environ: Environ) -> bytes | None:
    """The body, put back for the long way; None for one that its view looks at more closely."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if "HTTP_TRANSFER_ENCODING" in environ or not length.isdecimal() or int(length) > _MOST_BODY:
        return None
    if (
        length != "0"
        and environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != "application/json"
    ):
        return None
    body: bytes = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = BytesIO(body)
    return body if len(body) == int(length) else None
