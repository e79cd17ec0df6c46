"""What answers where no view does: unknown paths, Django's own refusals, and what breaks before a view."""

import sys
from collections.abc import Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import csrf, defaults

from apps.core.errors import DomainError, Kind
from apps.surfaces.kit.authentication import authenticate
from apps.surfaces.kit.errors import NothingHere, answer, note, plain, problem_of
from apps.surfaces.kit.problems import Problem, Sort, Transport
from apps.surfaces.kit.surface import Surface, surface_of

_SORTS: Mapping[int, Sort] = {
    401: Kind.UNAUTHENTICATED,
    403: Kind.FORBIDDEN,
    404: Kind.NOT_FOUND,
    405: Transport.METHOD_NOT_ALLOWED,
    406: Transport.NOT_ACCEPTABLE,
    409: Kind.CONFLICT,
    412: Kind.PRECONDITION,
    413: Kind.TOO_LARGE,
    415: Transport.UNSUPPORTED_MEDIA_TYPE,
    429: Kind.RATE_LIMITED,
    503: Kind.UNAVAILABLE,
}


def shaped(status: int, surface: Surface, request: HttpRequest) -> HttpResponse:
    """A refusal that came from elsewhere with this status, in the surface's words."""
    return answer(_refused(surface, request) or _problem(status, request), surface, request)


def _refused(surface: Surface, request: HttpRequest) -> Problem | None:
    """What a stranger is told on a closed surface, whatever is or isn't at the path."""
    if surface.closed:
        try:
            authenticate(request, surface.name)
        except DomainError as refused:
            return problem_of(refused)
    return None


def _problem(status: int, request: HttpRequest) -> Problem:
    if status == 404:
        return problem_of(NothingHere(request))
    default = Kind.INVALID if status < 500 else Transport.INTERNAL
    return plain(_SORTS.get(status, default))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400"""
    surface = surface_of(request.path_info)
    if surface is None:
        return defaults.bad_request(request, exception)
    return answer(problem_of(exception), surface, request)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403"""
    surface = surface_of(request.path_info)
    if surface is None:
        return defaults.permission_denied(request, exception)
    return answer(plain(Kind.FORBIDDEN), surface, request)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404"""
    surface = surface_of(request.path_info)
    if surface is None:
        return defaults.page_not_found(request, exception)
    return shaped(404, surface, request)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500; a database that is away before any view was reached is 503, as it is behind one."""
    surface = surface_of(request.path_info)
    error = sys.exc_info()[1]
    problem = problem_of(error) if error is not None else plain(Transport.INTERNAL)
    if surface is None and problem.sort is not Kind.UNAVAILABLE:
        return defaults.server_error(request)
    if error is not None:
        note(error, problem)
    return _page_of(problem) if surface is None else answer(problem, surface, request)


def _page_of(problem: Problem) -> HttpResponse:
    """A page says the same. It is rendered without the request: who is signed in stands in the database."""
    page = render_to_string("503.html", {"message": problem.message})
    headers = {"Content-Security-Policy": settings.BACKOFFICE_CSP, "Cache-Control": "no-store"}
    return HttpResponse(page, status=503, headers={**headers, "Retry-After": "5", **problem.headers})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """settings.CSRF_FAILURE_VIEW"""
    surface = surface_of(request.path_info)
    if surface is None:
        return csrf.csrf_failure(request, reason=reason)
    return answer(plain(Kind.FORBIDDEN, "The CSRF token is missing or wrong."), surface, request)
