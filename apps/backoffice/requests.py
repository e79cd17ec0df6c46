"""Requests to the back office: who reads, and whether htmx asks for a part of a page."""

from django.http import HttpRequest

from apps.core.errors import Unauthenticated
from apps.core.principal import Principal

_ATTRIBUTE = "backoffice_principal"


def admit(request: HttpRequest, principal: Principal) -> None:
    """Notes who reads; the middleware does it once for each request."""
    setattr(request, _ATTRIBUTE, principal)


def reader_or_none(request: HttpRequest) -> Principal | None:
    found = getattr(request, _ATTRIBUTE, None)
    return found if isinstance(found, Principal) else None


def reader(request: HttpRequest) -> Principal:
    """The staff member who reads.

    Raises:
        Unauthenticated: the middleware admitted nobody.
    """
    found = reader_or_none(request)
    if found is None:
        raise Unauthenticated
    return found


def wants_part(request: HttpRequest) -> bool:
    """True where htmx asks: the answer is a dialog or a list of suggestions, not a page."""
    return request.headers.get("HX-Request") == "true"
