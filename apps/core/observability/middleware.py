"""The outermost door: ids, the client's address, one log line and one measurement for each request."""

import re
import time
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from ulid import ULID

from apps.core.observability.addresses import client_address_of
from apps.core.observability.context import bound
from apps.core.observability.metrics import observe_request

log = structlog.get_logger("steward.access")

# Source: contracts/control.md, `X-Correlation-Id`.
ACCEPTED_ID = re.compile(r"[A-Za-z0-9._:-]{8,128}")
_QUIET = frozenset({"healthz", "readyz", "metrics"})


class RequestContext:
    """First in MIDDLEWARE. Sets `request.request_id`, `.correlation_id`, `.client_address` and
    `.correlation_id_is_malformed` (a surface may refuse it; here it is replaced)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        request_id = _accepted(request.headers.get("X-Request-Id")) or f"req_{ULID()}"
        offered = request.headers.get("X-Correlation-Id")
        correlation_id = _accepted(offered) or f"cor_{ULID()}"
        address = client_address_of(request)
        setattr(request, "request_id", request_id)  # noqa: B010  HttpRequest declares no such attribute
        setattr(request, "correlation_id", correlation_id)  # noqa: B010
        setattr(request, "correlation_id_is_malformed", offered is not None and _accepted(offered) is None)  # noqa: B010
        setattr(request, "client_address", address)  # noqa: B010
        with bound(client=address, request_id=request_id, correlation_id=correlation_id, actor="", tenant=""):
            response = self.get_response(request)
            response["X-Request-Id"] = request_id
            response["X-Correlation-Id"] = correlation_id
            _account(request, response, time.perf_counter() - started)
        return response


def _accepted(offered: str | None) -> str | None:
    return offered if offered is not None and ACCEPTED_ID.fullmatch(offered) else None


def _account(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    match = request.resolver_match
    route = match.route if match is not None else None
    method = request.method or ""
    observe_request(route=route, method=method, status=response.status_code, seconds=seconds)
    streaming = isinstance(response, StreamingHttpResponse) or response.streaming
    write = log.debug if route in _QUIET and response.status_code < 400 else log.info
    write(
        "request",
        method=method[:16],
        route=route,
        status=response.status_code,
        duration_ms=round(seconds * 1000, 1),
        bytes=None if streaming else len(getattr(response, "content", b"")),
    )
