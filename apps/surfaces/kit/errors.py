"""One handler for everything that goes wrong behind a surface's door."""

from collections.abc import Mapping
from typing import Any

import psycopg.errors
import redis
import structlog
from django.core import exceptions as django_errors
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from rest_framework import exceptions as drf_errors
from rest_framework.response import Response
from rest_framework.views import exception_handler

from apps.core.errors import DomainError, Kind, NotFound
from apps.surfaces.kit.authentication import challenge
from apps.surfaces.kit.inputs import flattened
from apps.surfaces.kit.problems import Circumstances, Problem, Sort, Transport
from apps.surfaces.kit.rendering import dumps
from apps.surfaces.kit.surface import Surface

log = structlog.get_logger(__name__)

_BUSY = (
    psycopg.errors.QueryCanceled,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
)
_SENTENCES: Mapping[Sort, str] = {
    Kind.INVALID: "The request is not valid.",
    Kind.UNAUTHENTICATED: "Sign in first.",
    Kind.FORBIDDEN: "You may not do this.",
    Kind.NOT_FOUND: "There is no such thing.",
    Kind.CONFLICT: "This conflicts with another change made at the same moment; try again.",
    Kind.TOO_LARGE: "The request is too large.",
    Kind.RATE_LIMITED: "Too many requests.",
    Transport.METHOD_NOT_ALLOWED: "This method is not served here.",
    Transport.NOT_ACCEPTABLE: "Nothing that you accept is served here.",
    Transport.UNSUPPORTED_MEDIA_TYPE: "Send application/json.",
    Transport.INTERNAL: "Something went wrong on our side; it was logged under the request id.",
    Kind.UNAVAILABLE: "A part of Steward is away.",
}


class NothingHere(NotFound):
    """The same words for a path that nobody serves and for one that this caller may not know of."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(f"There is nothing at {request.path[:200]}.")


def plain(sort: Sort, message: str | None = None, details: Mapping[str, Any] | None = None) -> Problem:
    """A problem without a code of its own."""
    return Problem(sort=sort, code="", message=message or _SENTENCES[sort], details=details or {})


def problem_of(error: BaseException) -> Problem:
    """What a surface is told about an exception; anything unforeseen is INTERNAL and says nothing of itself."""
    if isinstance(error, DomainError):
        return _of_domain(error)
    if isinstance(error, drf_errors.APIException):
        return _of_drf(error)
    found = _of_django(error) or _of_engines(error)
    return found or plain(Transport.INTERNAL)


def _of_domain(error: DomainError) -> Problem:
    headers: dict[str, str] = {}
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    current = error.details.get("current")
    if error.kind is Kind.PRECONDITION and isinstance(current, int):
        headers["ETag"] = f'"v{current}"'
    return Problem(error.kind, error.code, error.message, error.details, headers)


def _of_drf(error: drf_errors.APIException) -> Problem:
    if isinstance(error, drf_errors.ValidationError):
        return plain(Kind.INVALID, details=flattened(error.detail))
    sorts: dict[type[drf_errors.APIException], Sort] = {
        drf_errors.ParseError: Kind.INVALID,
        drf_errors.NotAuthenticated: Kind.UNAUTHENTICATED,
        drf_errors.AuthenticationFailed: Kind.UNAUTHENTICATED,
        drf_errors.PermissionDenied: Kind.FORBIDDEN,
        drf_errors.NotFound: Kind.NOT_FOUND,
        drf_errors.MethodNotAllowed: Transport.METHOD_NOT_ALLOWED,
        drf_errors.NotAcceptable: Transport.NOT_ACCEPTABLE,
        drf_errors.UnsupportedMediaType: Transport.UNSUPPORTED_MEDIA_TYPE,
        drf_errors.Throttled: Kind.RATE_LIMITED,
    }
    return plain(sorts.get(type(error), Transport.INTERNAL))


def _of_django(error: BaseException) -> Problem | None:
    if isinstance(error, Http404):
        return plain(Kind.NOT_FOUND)
    if isinstance(error, django_errors.RequestDataTooBig):
        return plain(Kind.TOO_LARGE)
    if isinstance(error, django_errors.PermissionDenied):
        return plain(Kind.FORBIDDEN)
    if isinstance(
        error,
        django_errors.SuspiciousOperation
        | django_errors.BadRequest
        | MultiPartParserError
        | UnreadablePostError,
    ):
        return plain(Kind.INVALID)
    return None


def _of_engines(error: BaseException) -> Problem | None:
    if isinstance(error, OperationalError | InterfaceError | psycopg.OperationalError):
        if isinstance(error.__cause__, _BUSY) or isinstance(error, _BUSY):
            problem = plain(Kind.UNAVAILABLE, "PostgreSQL did not answer in time; try again.")
        else:
            problem = plain(Kind.UNAVAILABLE, "PostgreSQL does not answer.")
        return Problem(problem.sort, problem.code, problem.message, headers={"Retry-After": "1"})
    if isinstance(error, redis.RedisError):
        return plain(Kind.UNAVAILABLE, "Redis does not answer.")
    if isinstance(error, IntegrityError) and isinstance(error.__cause__, psycopg.errors.UniqueViolation):
        return plain(Kind.CONFLICT)
    if isinstance(error, DataError):
        # A value that no column takes: the serializer should have said so, hence the log.
        return plain(Kind.INVALID)
    return None


def note(error: BaseException, problem: Problem) -> None:
    """Puts into the log what somebody must look into."""
    if problem.sort is Transport.INTERNAL or isinstance(error, DataError):
        log.error("unhandled_error", exc_info=error)
    elif problem.sort is Kind.UNAVAILABLE:
        log.warning("unavailable", error=type(error).__name__, reason=problem.message)


def circumstances(request: HttpRequest) -> Circumstances:
    return Circumstances(
        request_id=getattr(request, "request_id", ""),
        correlation_id=getattr(request, "correlation_id", ""),
        path=request.path,
    )


def answer(problem: Problem, surface: Surface, request: HttpRequest) -> HttpResponse:
    """The refusal in the surface's shape."""
    status = surface.status(problem)
    response = SurfaceResponse(
        dumps(surface.error(problem, circumstances(request))), status=status, headers=dict(problem.headers)
    )
    if status == 401 and (scheme := challenge(surface.name)):
        response["WWW-Authenticate"] = scheme
    return response


class SurfaceResponse(HttpResponse):
    """JSON in a surface's shape; the middleware leaves it as it is."""

    def __init__(self, content: bytes, *, status: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(content, status=status, content_type="application/json")
        self["Cache-Control"] = "no-store"
        for name, value in (headers or {}).items():
            self[name] = value


def handle(error: Exception, context: Mapping[str, Any]) -> HttpResponse | Response | None:
    """settings.REST_FRAMEWORK["EXCEPTION_HANDLER"]: in the shape of the view's surface."""
    surface = getattr(context.get("view"), "surface", None)
    if not isinstance(surface, Surface):
        return exception_handler(error, dict(context))
    problem = problem_of(error)
    note(error, problem)
    return answer(problem, surface, context["request"])
