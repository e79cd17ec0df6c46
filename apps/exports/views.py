"""The door to files, with session or token; behind it exports: `/downloads/exports/{id}`, as mails link to them."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed, HttpResponseRedirect

from apps.core import ids
from apps.core.errors import DomainError, Unauthenticated
from apps.core.observability.context import identify
from apps.core.principal import Principal
from apps.exports.errors import ExportNotFound, LinkInvalid
from apps.exports.models import EXPORT
from apps.exports.services import open_download
from apps.surfaces.kit.answers import Stream
from apps.surfaces.kit.authentication import authenticate
from apps.surfaces.kit.errors import answer, note, problem_of
from apps.surfaces.kit.responses import response_of
from apps.surfaces.kit.throttling import limit_of, throttle
from apps.surfaces.platform import SURFACE


def download(request: HttpRequest, export_id: str) -> HttpResponseBase:
    """The file of an export, as an attachment."""
    return door(request, lambda principal: _export(request, principal, export_id))


def door(request: HttpRequest, serve: Callable[[Principal], Stream]) -> HttpResponseBase:
    """What every file goes through: who it is, how often, and refusals in the words of the platform surface. A person
    in a browser who is not signed in is sent there first."""
    if request.method not in {"GET", "HEAD"}:
        return HttpResponseNotAllowed(["GET", "HEAD"])
    try:
        principal = authenticate(request, SURFACE.name)
        identify(actor=principal.id)
        throttle().take("platform", principal.id, limit=limit_of("platform"))
        return response_of(serve(principal), SURFACE)
    except Unauthenticated as refused:
        if request.accepts("text/html") and "Authorization" not in request.headers:
            query = urlencode({"next": request.get_full_path()})
            return HttpResponseRedirect(f"{settings.LOGIN_URL}?{query}")
        return _refused(request, refused)
    except DomainError as refused:
        return _refused(request, refused)


def _export(request: HttpRequest, principal: Principal, export_id: str) -> Stream:
    identity = ids.parse_or_none(EXPORT, export_id)
    if identity is None:
        raise ExportNotFound
    expires, signature = request.GET.get("expires", ""), request.GET.get("signature", "")
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 12 and signature.isascii()):
        raise LinkInvalid
    export, opened = open_download(
        actor=principal, export_id=identity, expires=int(expires), signature=signature
    )
    headers: dict[str, Any] = {"Content-Length": str(opened.stat.size), "X-Content-Type-Options": "nosniff"}
    return Stream(opened.chunks, opened.stat.content_type, export.filename, headers=headers)


def _refused(request: HttpRequest, refused: DomainError) -> HttpResponseBase:
    problem = problem_of(refused)
    note(refused, problem)
    return answer(problem, SURFACE, request)
