"""The service contract as code: configuration, flags and health for other services.

Source: contracts/service.md, "Conventions"; what it leaves open is decided in docs/surfaces.md.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.http import HttpRequest

from apps.core.errors import Kind
from apps.core.observability.addresses import is_internal
from apps.core.principal import Principal
from apps.surfaces.internal import INTERNAL, below
from apps.surfaces.kit.answers import Answer, Page
from apps.surfaces.kit.paging import CursorPaging, NumberPaging, PageStyle
from apps.surfaces.kit.problems import Circumstances, Problem, Sort, Transport
from apps.surfaces.kit.surface import Surface
from apps.surfaces.kit.views import SurfaceViewSet

SUPER_ADMIN, TENANT_ADMIN, SERVICE = "SUPER_ADMIN", "TENANT_ADMIN", "SERVICE"
SUPER_ADMIN_OR_SERVICE = f"{SUPER_ADMIN}|{SERVICE}"
# Whoever has a good token, whatever its scopes.
ANY_TOKEN = "any token"  # noqa: S105  a permission

# What each permission asks for: one of these scopes (a token's roles count as scopes).
_GRANTED_BY: Mapping[str, frozenset[str]] = {
    SUPER_ADMIN: frozenset({SUPER_ADMIN}),
    TENANT_ADMIN: frozenset({TENANT_ADMIN}),
    SUPER_ADMIN_OR_SERVICE: frozenset({SUPER_ADMIN, SERVICE}),
    INTERNAL: frozenset({INTERNAL}),
}
HISTORY = CursorPaging(default=20, most=100)

_CODES: Mapping[Sort, str] = {
    Kind.INVALID: "ADM_VALIDATION_FAILED",
    Kind.UNAUTHENTICATED: "ADM_UNAUTHENTICATED",
    Kind.FORBIDDEN: "ADM_FORBIDDEN",
    Kind.NOT_FOUND: "ADM_NOT_FOUND",
    Kind.CONFLICT: "ADM_CONFLICT",
    Kind.UNPROCESSABLE: "ADM_UNPROCESSABLE",
    Kind.PRECONDITION: "ADM_VERSION_CONFLICT",
    Kind.TOO_LARGE: "ADM_PAYLOAD_TOO_LARGE",
    Kind.LOCKED: "ADM_LOCKED",
    Kind.RATE_LIMITED: "ADM_RATE_LIMITED",
    Kind.UNAVAILABLE: "ADM_UNAVAILABLE",
    Transport.METHOD_NOT_ALLOWED: "ADM_METHOD_NOT_ALLOWED",
    Transport.NOT_ACCEPTABLE: "ADM_NOT_ACCEPTABLE",
    Transport.UNSUPPORTED_MEDIA_TYPE: "ADM_UNSUPPORTED_MEDIA_TYPE",
    Transport.INTERNAL: "ADM_INTERNAL_ERROR",
}
# Codes of lower apps that the contract names; a domain may also write its ADM_ codes itself.
_OWN: Mapping[str, str] = {
    "CURSOR_INVALID": "ADM_CURSOR_INVALID",
    "TENANT_NOT_FOUND": "ADM_TENANT_NOT_FOUND",
}


class Service(Surface):
    name = "service"
    title = "Steward: service"
    description = "Configuration, flags and health for other services."
    prefixes: ClassVar[Sequence[str]] = (
        "/api/v1/admin/platform-config",
        "/api/v1/admin/flags",
        "/api/v1/admin/segments",
        "/api/v1/admin/health",
        "/api/v1/platform/flags",
        "/internal",
    )
    paging = NumberPaging()
    security = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}

    def admits(self, request: HttpRequest) -> bool:
        return not below(request.path_info) or is_internal(request)

    def knows(self, permission: str) -> bool:
        return permission == ANY_TOKEN or permission in _GRANTED_BY

    def permits(self, principal: Principal, permission: str) -> bool:
        return permission == ANY_TOKEN or bool(principal.scopes & _GRANTED_BY[permission])

    def is_secured(self, permission: str) -> bool:
        return permission != INTERNAL

    def budget_of(self, principal: Principal | None, address: str | None) -> str:
        subject = super().budget_of(principal, address)
        internal = principal is not None and INTERNAL in principal.scopes
        return f"{address}|{subject}" if internal else subject

    def envelope(self, answer: Answer) -> Any:
        return answer.data

    def page(self, page: Page) -> dict[str, Any]:
        position = page.position
        if "next" in position:
            return {"data": page.rows, "nextCursor": position["next"]}
        return {"data": page.rows, **position}

    def error(self, problem: Problem, where: Circumstances) -> dict[str, Any]:
        error: dict[str, Any] = {"code": _code(problem), "message": problem.message}
        if problem.details:
            error["details"] = dict(problem.details)
        error["requestId"] = where.request_id
        return {"error": error}

    def error_schema(self) -> dict[str, Any]:
        error = {
            "type": "object",
            "properties": {
                "code": {"type": "string", "pattern": "^ADM_[A-Z_]+$"},
                "message": {"type": "string"},
                "details": {"type": "object", "additionalProperties": True},
                "requestId": {"type": "string"},
            },
            "required": ["code", "message", "requestId"],
            "additionalProperties": False,
        }
        return {
            "type": "object",
            "properties": {"error": error},
            "required": ["error"],
            "additionalProperties": False,
        }

    def envelope_schema(self, data: dict[str, Any]) -> dict[str, Any]:
        return data

    def page_schema(self, items: dict[str, Any], collection: str | None, style: PageStyle) -> dict[str, Any]:
        del collection
        beside: dict[str, Any] = {name: {"type": "integer"} for name in ("page", "pageSize", "total")}
        if isinstance(style, CursorPaging):
            beside = {"nextCursor": {"type": ["string", "null"], "description": "Null on the last page."}}
        return {
            "type": "object",
            "properties": {"data": {"type": "array", "items": items}, **beside},
            "required": ["data", *beside],
        }

    def error_example(self, status: int) -> dict[str, Any]:
        code, message = _EXAMPLES[status]
        error: dict[str, Any] = {"code": code, "message": message}
        if status == 400:
            error["details"] = {"pageSize": ["Ensure this value is less than or equal to 100."]}
        error["requestId"] = "req_01JD8Z3K5Q6R7S8T9V0W1X2Y3Z"
        return {"error": error}


def _code(problem: Problem) -> str:
    if problem.code.startswith("ADM_"):
        return problem.code
    return _OWN.get(problem.code, _CODES[problem.sort])


_EXAMPLES: Mapping[int, tuple[str, str]] = {
    400: ("ADM_VALIDATION_FAILED", "The request is not valid."),
    401: ("ADM_UNAUTHENTICATED", "Sign in first."),
    403: ("ADM_FORBIDDEN", "You may not do this."),
    404: ("ADM_CONFIG_NOT_FOUND", "There is no such configuration value."),
    409: ("ADM_CONFLICT", "This conflicts with the present state."),
    412: ("ADM_VERSION_CONFLICT", "The resource has changed since you read it."),
    413: ("ADM_PAYLOAD_TOO_LARGE", "The request is too large."),
    415: ("ADM_UNSUPPORTED_MEDIA_TYPE", "Send application/json."),
    422: ("ADM_UNPROCESSABLE", "This can't be done in the present state."),
    423: ("ADM_LOCKED", "The resource is locked."),
    429: ("ADM_RATE_LIMITED", "Too many requests."),
    500: ("ADM_INTERNAL_ERROR", "Something went wrong on our side; it was logged under the request id."),
    503: ("ADM_UNAVAILABLE", "PostgreSQL does not answer."),
}

SURFACE = Service()


class ViewSet(SurfaceViewSet):
    """A view of the service surface."""

    surface = SURFACE
