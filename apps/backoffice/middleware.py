"""The door of the back office: staff only, MFA where it is asked for, and the headers of its pages."""

from collections.abc import Callable
from functools import cache
from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.middleware.gzip import GZipMiddleware
from django.utils.module_loading import import_string

from apps.backoffice import pages
from apps.backoffice.errors import NoSuchPage, Refused
from apps.backoffice.requests import admit, reader_or_none, wants_part
from apps.core.errors import DomainError, Forbidden
from apps.core.observability.context import identify
from apps.core.principal import Principal
from apps.core.write import Target, record_denied

PREFIX = "/backoffice/"


class BackOffice:
    """Last in MIDDLEWARE; does nothing elsewhere."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._compress = GZipMiddleware(cast("Any", get_response)).process_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path == PREFIX.rstrip("/"):
            return HttpResponseRedirect(PREFIX)
        if not request.path.startswith(PREFIX):
            return self.get_response(request)
        response = _turned_away(request) or self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", settings.BACKOFFICE_CSP)
        response["Cache-Control"] = "no-store"
        # With a random length added against BREACH (docs/decisions/2026-11-21-page-weight.md).
        return self._compress(request, cast("HttpResponse", response))

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Refusals become pages in the same design; anything else is a failure and goes on."""
        if not request.path.startswith(PREFIX):
            return None
        if isinstance(exception, Http404):
            exception = NoSuchPage()
        elif isinstance(exception, PermissionDenied):
            exception = Forbidden()
        if not isinstance(exception, DomainError):
            return None
        if isinstance(exception, Refused):
            _note_denied(request, exception)
        return pages.refusal(request, exception)


def _turned_away(request: HttpRequest) -> HttpResponse | None:
    """Where the caller must go first; None for a staff member who may come in."""
    user: Any = request.user
    if not user.is_authenticated:
        return _go(request, f"{settings.LOGIN_URL}?{urlencode({'next': request.get_full_path()})}")
    if not (user.is_active and user.is_staff):
        return pages.refusal(
            request, Forbidden("The back office is for our staff. You are signed in as a user.")
        )
    if _gate()(request):
        return _go(request, settings.BACKOFFICE_GATE_URL)
    address = getattr(request, "client_address", None)
    principal = cast(
        "Principal", user.principal(via="backoffice", address=address, session=request.session.session_key)
    )
    admit(request, principal)
    identify(actor=principal.id)
    return None


def _go(request: HttpRequest, url: str) -> HttpResponse:
    """A redirect of the whole page, also where htmx asked for a part of it."""
    if wants_part(request):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


@cache
def _gate() -> Callable[[HttpRequest], bool]:
    return cast("Callable[[HttpRequest], bool]", import_string(settings.BACKOFFICE_GATE))


def _note_denied(request: HttpRequest, refused: Refused) -> None:
    principal = reader_or_none(request)
    if principal is not None:
        record_denied(refused.permission, actor=principal, target=Target(type="page", id=request.path[:200]))
