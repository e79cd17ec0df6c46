"""The headers of the control surface, as steps of its pipeline (settings.SURFACE_STEPS).

Source: contracts/control.md, "Conventions".
"""

import re
from collections.abc import Mapping
from datetime import UTC, date

from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import UnsupportedMediaType

from apps.core.clock import now
from apps.core.errors import Invalid
from apps.core.principal import Principal
from apps.surfaces.kit.actions import Action
from apps.surfaces.kit.inputs import Nothing
from apps.surfaces.kit.parsing import JSON_TYPE, media_type

VERSION = "X-API-Version"
CORRELATION = "X-Correlation-Id"
KEY = "Idempotency-Key"

_VERSIONED = "/v1/"
# Asked by machines that know of no header.
_HEALTH = frozenset({"/health", "/v1/platform/health"})
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_UNTRUSTED = ("HTTP_X_AUTH_", "HTTP_X_ACTOR_")
_UNTRUSTED_WHOLE = frozenset({"HTTP_X_TENANT_ID", "HTTP_X_WORKSPACE_ID"})


class ApiVersionRequired(Invalid):
    code = "API_VERSION_REQUIRED"
    message = f"Name the version of the interface: {VERSION}, a date."

    def __init__(self) -> None:
        super().__init__(details={VERSION: [self.message]})


class ApiVersionInvalid(Invalid):
    code = "API_VERSION_INVALID"
    message = f"{VERSION} is a date that is not in the future, written 2026-01-31."

    def __init__(self) -> None:
        super().__init__(details={VERSION: [self.message]})


def is_versioned(path: str) -> bool:
    """True where a request must name the version of the interface."""
    return path.startswith(_VERSIONED) and path not in _HEALTH


def strip(request: HttpRequest, principal: Principal | None, action: Action, path: Mapping[str, str]) -> None:
    """What a gateway would say of the caller is said by the token alone: nothing behind this step finds it."""
    del principal, action, path
    for name in [name for name in request.META if name in _UNTRUSTED_WHOLE or name.startswith(_UNTRUSTED)]:
        del request.META[name]
    # A cached property over META.
    request.__dict__.pop("headers", None)


def check_correlation_id(
    request: HttpRequest, principal: Principal | None, action: Action, path: Mapping[str, str]
) -> None:
    """Raises Invalid: `X-Correlation-Id` is malformed. (The answer bears one that was made instead.)"""
    del principal, action, path
    if getattr(request, "correlation_id_is_malformed", False):
        sentence = "8 to 128 letters, digits, dots, colons, hyphens or underscores."
        raise Invalid(f"{CORRELATION} is malformed.", details={CORRELATION: [sentence]})


def check_api_version(
    request: HttpRequest, principal: Principal | None, action: Action, path: Mapping[str, str]
) -> None:
    """Raises ApiVersionRequired, ApiVersionInvalid."""
    del principal, action, path
    if not is_versioned(request.path_info):
        return
    sent = request.headers.get(VERSION, "").strip()
    if not sent:
        raise ApiVersionRequired
    try:
        version = date.fromisoformat(sent) if _DATE.fullmatch(sent) else None
    except ValueError:
        version = None
    if version is None or version > now().astimezone(UTC).date():
        raise ApiVersionInvalid


def check_content_type(
    request: HttpRequest, principal: Principal | None, action: Action, path: Mapping[str, str]
) -> None:
    """Raises UnsupportedMediaType: a mutation that takes a body, and another type than JSON or none is named.

    Where nothing is taken, an empty body may be of any type or none; the parser refuses one that is not empty.
    """
    del principal, path
    if action.body is not Nothing and media_type(request) != JSON_TYPE:
        raise UnsupportedMediaType(media_type(request))


def check_strictly(
    request: HttpRequest, principal: Principal | None, action: Action, path: Mapping[str, str]
) -> None:
    """Raises Invalid: settings.CONTROL_STRICT_HEADERS, and one of the two headers is missing."""
    del principal, path
    if not settings.CONTROL_STRICT_HEADERS or request.path_info in _HEALTH:
        return
    needed = [CORRELATION, *([KEY] if action.mutates else [])]
    missing = {name: ["This header is required."] for name in needed if name not in request.headers}
    if missing:
        raise Invalid("A required header is missing.", details=missing)
