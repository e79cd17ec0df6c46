"""Who calls: the protocol of authenticators, and the walk over those that settings name for a surface."""

from functools import cache
from typing import Protocol, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.module_loading import import_string

from apps.core.errors import Forbidden, Unauthenticated
from apps.core.principal import Principal


class Authenticator(Protocol):
    """One kind of credential.

    It may have two attributes: `uses_cookies = True` where the browser sends it by itself, so that unsafe methods
    need a CSRF token; `challenge`, what WWW-Authenticate of a 401 says.
    """

    def authenticate(self, request: HttpRequest) -> Principal | None:
        """The caller; None without a credential of this kind.

        Raises:
            Unauthenticated: a credential of this kind that is not good.
        """


class CsrfFailed(Forbidden):
    code = "CSRF_FAILED"
    message = "The CSRF token is missing or wrong."


@cache
def authenticators(surface: str) -> list[Authenticator]:
    """The authenticators of a surface, in the order in which they are asked."""
    paths = settings.SURFACE_AUTHENTICATORS.get(surface, [])
    return [cast("Authenticator", import_string(path)()) for path in paths]


def challenge(surface: str) -> str:
    """The value of WWW-Authenticate on this surface's 401; empty where no scheme has one."""
    found = (getattr(each, "challenge", None) for each in authenticators(surface))
    return ", ".join(each for each in found if each)


def authenticate(request: HttpRequest, surface: str) -> Principal:
    """The caller at this surface's door.

    Raises:
        Unauthenticated: no credential, or a bad one.
        CsrfFailed: a session on an unsafe method without its token.
    """
    asked = authenticators(surface)
    if "Authorization" in request.headers:
        # A browser adds its cookies by itself; what the caller wrote by hand counts first.
        asked = sorted(asked, key=_uses_cookies)
    for each in asked:
        principal = each.authenticate(request)
        if principal is None:
            continue
        if _uses_cookies(each):
            _enforce_csrf(request)
        address = getattr(request, "client_address", None) or request.META.get("REMOTE_ADDR") or None
        return principal.at(via=surface, address=address)
    raise Unauthenticated


def _uses_cookies(each: Authenticator) -> bool:
    return bool(getattr(each, "uses_cookies", False))


class _Csrf(CsrfViewMiddleware):
    """Django's check; its answer is only the reason, the surface writes the body."""

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        del request
        return HttpResponse(reason)


def _enforce_csrf(request: HttpRequest) -> None:
    check = _Csrf(lambda _request: HttpResponse())
    check.process_request(request)
    refused = check.process_view(request, lambda *_args, **_kwargs: HttpResponse(), (), {})
    if refused is not None:
        raise CsrfFailed
