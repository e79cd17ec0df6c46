"""The former addresses of the service surface, served, deprecated or gone by settings.COMPATIBILITY_STAGE.

`/api/platform/{platform-config,flags,health}…` is `/api/v1/admin/…`, rewritten before anything else looks at the path
and never redirected. Nothing else below `/api/platform` is reachable that way.

    M0, M1   as the present address
    M2       the same, with Deprecation (RFC 9745), Sunset (RFC 8594) and Link to the successor; callers are counted
    M3       410 in the surface's shape, naming the successor

Source: contracts/service.md, "Compatibility".
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.http import http_date

from apps.core.errors import Kind
from apps.core.observability.context import actor_id
from apps.core.observability.metrics import LEGACY, Bounded
from apps.surfaces.kit.errors import SurfaceResponse, circumstances
from apps.surfaces.kit.problems import Problem
from apps.surfaces.kit.rendering import dumps
from apps.surfaces.service import SURFACE

_FORMER = re.compile(r"/api/platform(/(?:platform-config|flags|health)(?:/.*)?)", re.DOTALL)
_PRESENT = "/api/v1/admin"
# Whoever comes after so many others counts as "other": callers must not invent time series without end.
_callers = Bounded(most=200)


class Compatibility:
    """Right behind RequestContext: what follows sees the present address only."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        successor = successor_of(request.path_info)
        if successor is None:
            return self.get_response(request)
        if settings.COMPATIBILITY_STAGE == "M3":
            return _gone(request, successor)
        request.path = request.path.removesuffix(request.path_info) + successor
        request.path_info = request.META["PATH_INFO"] = successor
        response = self.get_response(request)
        if settings.COMPATIBILITY_STAGE == "M2":
            _mark(response, successor)
            LEGACY.labels(_callers.name(actor_id() or "nobody")).inc()
        return response


def successor_of(path: str) -> str | None:
    """The present address of a former one; None for any other path."""
    found = _FORMER.fullmatch(path)
    return f"{_PRESENT}{found.group(1)}" if found is not None else None


def _mark(response: HttpResponseBase, successor: str) -> None:
    response["Deprecation"] = f"@{int(_start_of(settings.COMPATIBILITY_DEPRECATED).timestamp())}"
    response["Sunset"] = http_date(_start_of(settings.COMPATIBILITY_SUNSET).timestamp())
    response["Link"] = _link(successor)


def _gone(request: HttpRequest, successor: str) -> SurfaceResponse:
    problem = Problem(Kind.NOT_FOUND, "ADM_GONE", f"This address is gone: use {successor[:200]}.")
    body = dumps(SURFACE.error(problem, circumstances(request)))
    return SurfaceResponse(body, status=HTTPStatus.GONE, headers={"Link": _link(successor)})


def _link(successor: str) -> str:
    # The path may hold whatever a caller sent, decoded.
    safe = re.sub(r"[^\w./~-]", "", successor, flags=re.ASCII)
    return f'<{safe}>; rel="successor-version"'


def _start_of(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)
