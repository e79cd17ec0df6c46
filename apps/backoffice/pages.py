"""Rendering inside the shell, and the pages that say no."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.backoffice.errors import Refused
from apps.backoffice.requests import reader, reader_or_none, wants_part
from apps.backoffice.shell import shell_context
from apps.core.errors import DomainError, Kind

STATUSES: Mapping[Kind, int] = {
    Kind.INVALID: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.PRECONDITION: 412,
    Kind.UNPROCESSABLE: 422,
    Kind.TOO_LARGE: 413,
    Kind.LOCKED: 423,
    Kind.RATE_LIMITED: 429,
    Kind.UNAVAILABLE: 503,
}
_TITLES: Mapping[Kind, str] = {
    Kind.FORBIDDEN: "Your roles do not open this page",
    Kind.NOT_FOUND: "There is nothing here",
    Kind.UNAVAILABLE: "A part of Steward is away",
}


def page(
    request: HttpRequest, template: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """A page in the shell: navigation, search, theme."""
    return render(request, template, {**shell_context(request), **context}, status=status)


def refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    """A refusal as a page in the same design, or as a dialog where htmx asked for one."""
    status = STATUSES[error.kind]
    title = _TITLES.get(error.kind, "This can't be done")
    said = error.message.rstrip(".") == title
    context: dict[str, Any] = {"title": title, "status": status, "message": "" if said else error.message}
    if isinstance(error, Refused):
        context["needed"] = error.details["roles"]
        context["held"] = sorted(reader(request).roles)
    if wants_part(request):
        return render(request, "backoffice/dialog_refused.html", context, status=status)
    if reader_or_none(request) is None:
        return render(request, "backoffice/refused_bare.html", context, status=status)
    return page(request, "backoffice/refused.html", context, status=status)
