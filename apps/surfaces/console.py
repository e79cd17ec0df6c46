"""The console contract as code: the master admin's console.

Source: contracts/console.md, "Conventions"; what it leaves open is decided in docs/surfaces.md.
"""

from collections.abc import Mapping
from typing import Any

from apps.core.access import Role
from apps.core.errors import Kind
from apps.core.principal import Principal, PrincipalKind
from apps.surfaces.kit.answers import Answer, Page
from apps.surfaces.kit.paging import CursorPaging, PageStyle
from apps.surfaces.kit.problems import Circumstances, Problem, Sort, Transport
from apps.surfaces.kit.surface import Surface
from apps.surfaces.kit.views import SurfaceViewSet

# The two permissions: any active staff member, and one with super_admin.
ADMIN_SESSION = "admin session"
MASTER_ADMIN = "master admin"

_CODES: Mapping[Sort, str] = {
    Kind.INVALID: "invalid_request",
    Kind.UNAUTHENTICATED: "unauthorized",
    Kind.FORBIDDEN: "forbidden",
    Kind.NOT_FOUND: "not_found",
    Kind.CONFLICT: "conflict",
    Kind.UNPROCESSABLE: "conflict",
    Kind.PRECONDITION: "version_conflict",
    Kind.TOO_LARGE: "payload_too_large",
    Kind.LOCKED: "locked",
    Kind.RATE_LIMITED: "rate_limited",
    Kind.UNAVAILABLE: "unavailable",
    Transport.METHOD_NOT_ALLOWED: "method_not_allowed",
    Transport.NOT_ACCEPTABLE: "not_acceptable",
    Transport.UNSUPPORTED_MEDIA_TYPE: "unsupported_media_type",
    Transport.INTERNAL: "internal_error",
}
# Fields that a service blames by the name that they have with us.
_FIELDS: Mapping[str, str] = {"tenant_id": "tenantId", "staff_roles": "staffRoles"}


class Console(Surface):
    name = "console"
    title = "Steward: console"
    description = "The master admin's console: figures, logs, upkeep, people. Staff only."
    prefixes = ("/api/admin",)
    paging = CursorPaging(default=50, most=200)
    security = {
        "session": {"type": "apiKey", "in": "cookie", "name": "steward_session"},
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "nile": {"type": "apiKey", "in": "cookie", "name": "__Secure-nile.session-token"},
    }

    def knows(self, permission: str) -> bool:
        return permission in {ADMIN_SESSION, MASTER_ADMIN}

    def permits(self, principal: Principal, permission: str) -> bool:
        if principal.kind is not PrincipalKind.STAFF:
            return False
        return permission == ADMIN_SESSION or Role.SUPER_ADMIN in principal.roles

    def envelope(self, answer: Answer) -> Any:
        return answer.data

    def page(self, page: Page) -> dict[str, Any]:
        return {"items": page.rows, "nextCursor": page.position["next"]}

    def status(self, problem: Problem) -> int:
        return 409 if problem.sort is Kind.UNPROCESSABLE else super().status(problem)

    def error(self, problem: Problem, where: Circumstances) -> dict[str, Any]:
        del where
        error: dict[str, Any] = {"code": _CODES[problem.sort], "message": problem.message}
        if problem.details:
            error["details"] = {_FIELDS.get(name, name): said for name, said in problem.details.items()}
        return {"error": error, "ok": False}

    def error_schema(self) -> dict[str, Any]:
        error = {
            "type": "object",
            "properties": {
                "code": {"type": "string", "enum": list(dict.fromkeys(_CODES.values()))},
                "message": {"type": "string"},
                "details": {"type": "object", "additionalProperties": True},
            },
            "required": ["code", "message"],
            "additionalProperties": False,
        }
        return {
            "type": "object",
            "properties": {"error": error, "ok": {"type": "boolean", "enum": [False]}},
            "required": ["error", "ok"],
            "additionalProperties": False,
        }

    def envelope_schema(self, data: dict[str, Any]) -> dict[str, Any]:
        return data

    def page_schema(self, items: dict[str, Any], collection: str | None, style: PageStyle) -> dict[str, Any]:
        del collection, style
        cursor = {"type": ["string", "null"], "description": "Null on the last page."}
        return {
            "type": "object",
            "properties": {"items": {"type": "array", "items": items}, "nextCursor": cursor},
            "required": ["items", "nextCursor"],
        }

    def error_example(self, status: int) -> dict[str, Any]:
        code, message = _EXAMPLES[status]
        error: dict[str, Any] = {"code": code, "message": message}
        if status == 400:
            error["details"] = {"limit": ["Ensure this value is less than or equal to 200."]}
        return {"error": error, "ok": False}


_EXAMPLES: Mapping[int, tuple[str, str]] = {
    400: ("invalid_request", "The request is not valid."),
    401: ("unauthorized", "Sign in first."),
    403: ("forbidden", "You may not do this."),
    404: ("not_found", "There is no such user."),
    409: ("conflict", "This is the last active super_admin."),
    412: ("version_conflict", "The resource has changed since you read it."),
    413: ("payload_too_large", "The request is too large."),
    415: ("unsupported_media_type", "Send application/json."),
    423: ("locked", "The resource is locked."),
    429: ("rate_limited", "Too many requests."),
    500: ("internal_error", "Something went wrong on our side; it was logged under the request id."),
    503: ("unavailable", "PostgreSQL does not answer."),
}

SURFACE = Console()


class ViewSet(SurfaceViewSet):
    """A view of the console surface."""

    surface = SURFACE
