"""The platform contract as code: the operators' dashboard API. Source: contracts/platform.md, "Conventions"."""

from collections.abc import Mapping
from typing import Any

from apps.core import access
from apps.core.clock import iso, now
from apps.core.errors import Kind
from apps.core.principal import Principal, PrincipalKind
from apps.surfaces.kit.answers import Answer, Page
from apps.surfaces.kit.paging import OffsetPaging, PageStyle
from apps.surfaces.kit.problems import Circumstances, Problem, Sort, Transport
from apps.surfaces.kit.rendering import dumps
from apps.surfaces.kit.surface import Surface
from apps.surfaces.kit.views import SurfaceViewSet

_CODES: Mapping[Sort, str] = {
    Kind.INVALID: "VALIDATION_ERROR",
    Kind.UNAUTHENTICATED: "UNAUTHENTICATED",
    Kind.FORBIDDEN: "UNAUTHORIZED",
    Kind.NOT_FOUND: "NOT_FOUND",
    Kind.CONFLICT: "CONFLICT",
    Kind.UNPROCESSABLE: "CONFLICT",
    Kind.PRECONDITION: "VERSION_CONFLICT",
    Kind.TOO_LARGE: "PAYLOAD_TOO_LARGE",
    Kind.LOCKED: "VAULT_SEALED",
    Kind.RATE_LIMITED: "RATE_LIMITED",
    Kind.UNAVAILABLE: "UPSTREAM_UNAVAILABLE",
    Transport.METHOD_NOT_ALLOWED: "METHOD_NOT_ALLOWED",
    Transport.NOT_ACCEPTABLE: "NOT_ACCEPTABLE",
    Transport.UNSUPPORTED_MEDIA_TYPE: "UNSUPPORTED_MEDIA_TYPE",
    Transport.INTERNAL: "INTERNAL_ERROR",
}
# Codes of the domain that the contract names beside those of its table.
_OWN = frozenset({"REAUTHENTICATION_REQUIRED", "QUERY_TOO_BROAD", "NO_ROTATION_TARGET"})
_NO_RIGHT = "User does not have required permissions"


class Platform(Surface):
    name = "platform"
    title = "Steward: platform"
    description = "The operators' dashboard API: users, tenants, plans. Staff only."
    prefixes = ("/api/v1/platform", "/api/v1/admin/vault", "/api/v1/admin/secrets")
    paging = OffsetPaging()
    security = {
        "session": {"type": "apiKey", "in": "cookie", "name": "steward_session"},
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "nile": {"type": "apiKey", "in": "cookie", "name": "__Secure-nile.session-token"},
    }

    def knows(self, permission: str) -> bool:
        return permission in access.PERMISSIONS

    def permits(self, principal: Principal, permission: str) -> bool:
        return principal.kind is PrincipalKind.STAFF and access.allows(principal, permission)

    def envelope(self, answer: Answer) -> dict[str, Any]:
        return {"success": True, "data": answer.data, "meta": _meta()}

    def page(self, page: Page) -> dict[str, Any]:
        if page.collection is None:
            return {"success": True, "data": page.rows, "pagination": page.position, "meta": _meta()}
        data = {page.collection: page.rows, "pagination": page.position}
        return {"success": True, "data": data, "meta": _meta()}

    def status(self, problem: Problem) -> int:
        return 409 if problem.sort is Kind.UNPROCESSABLE else super().status(problem)

    def error(self, problem: Problem, where: Circumstances) -> dict[str, Any]:
        code = problem.code if problem.code in _OWN else _CODES[problem.sort]
        message = _NO_RIGHT if code == "UNAUTHORIZED" and _says_nothing(problem) else problem.message
        error: dict[str, Any] = {"code": code, "message": message}
        if problem.details:
            error["details"] = {str(name): _sentences(value) for name, value in problem.details.items()}
        error["request_id"] = where.request_id
        return {"success": False, "error": error}

    def error_schema(self) -> dict[str, Any]:
        details = {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}}
        error = {
            "type": "object",
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "details": details,
                "request_id": {"type": "string"},
            },
            "required": ["code", "message", "request_id"],
        }
        return {
            "type": "object",
            "properties": {"success": {"type": "boolean", "enum": [False]}, "error": error},
            "required": ["success", "error"],
        }

    def envelope_schema(self, data: dict[str, Any]) -> dict[str, Any]:
        return _enveloped({"data": data})

    def page_schema(self, items: dict[str, Any], collection: str | None, style: PageStyle) -> dict[str, Any]:
        del style
        rows = {"type": "array", "items": items}
        if collection is None:
            return _enveloped({"data": rows, "pagination": _PAGINATION})
        data = {
            "type": "object",
            "properties": {collection: rows, "pagination": _PAGINATION},
            "required": [collection, "pagination"],
        }
        return _enveloped({"data": data})

    def error_example(self, status: int) -> dict[str, Any]:
        code, message = _EXAMPLES[status]
        error: dict[str, Any] = {"code": code, "message": message}
        if status == 400:
            error["details"] = {"limit": ["Ensure this value is less than or equal to 100."]}
        error["request_id"] = "req_01JD8Z3K5Q6R7S8T9V0W1X2Y3Z"
        return {"success": False, "error": error}


def _says_nothing(problem: Problem) -> bool:
    """True for a refusal that only says no: the contract has a sentence for it."""
    return problem.code in {"", "FORBIDDEN"}


def _sentences(value: Any) -> list[str]:
    if isinstance(value, list | tuple):
        return [_sentence(each) for each in value]
    return [_sentence(value)]


def _sentence(value: Any) -> str:
    return value if isinstance(value, str) else dumps(value).decode()


def _meta() -> dict[str, str]:
    return {"data_source": "backbone_api", "last_updated": iso(now())}


_PAGINATION: dict[str, Any] = {
    "type": "object",
    "properties": {
        "total": {"type": "integer"},
        "limit": {"type": "integer"},
        "offset": {"type": "integer"},
        "has_more": {"type": "boolean"},
        "total_is_estimate": {"type": "boolean", "description": "There when counting took too long."},
    },
    "required": ["total", "limit", "offset", "has_more"],
}
_META: dict[str, Any] = {
    "type": "object",
    "properties": {
        "data_source": {"type": "string", "enum": ["backbone_api"]},
        "last_updated": {"type": "string", "format": "date-time"},
    },
    "required": ["data_source", "last_updated"],
}
_EXAMPLES: Mapping[int, tuple[str, str]] = {
    400: ("VALIDATION_ERROR", "The request is not valid."),
    401: ("UNAUTHENTICATED", "Sign in first."),
    403: ("UNAUTHORIZED", _NO_RIGHT),
    404: ("NOT_FOUND", "There is no such thing."),
    409: ("CONFLICT", "This conflicts with the present state."),
    412: ("VERSION_CONFLICT", "The resource has changed since you read it."),
    413: ("PAYLOAD_TOO_LARGE", "The request is too large."),
    415: ("UNSUPPORTED_MEDIA_TYPE", "Send application/json."),
    423: ("VAULT_SEALED", "The vault is sealed."),
    429: ("RATE_LIMITED", "Too many requests."),
    500: ("INTERNAL_ERROR", "Something went wrong on our side; it was logged under the request id."),
    503: ("UPSTREAM_UNAVAILABLE", "PostgreSQL does not answer."),
}


def _enveloped(parts: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"success": {"type": "boolean", "enum": [True]}, **parts, "meta": _META},
        "required": ["success", *parts, "meta"],
    }


SURFACE = Platform()


class ViewSet(SurfaceViewSet):
    """A view of the platform surface."""

    surface = SURFACE
