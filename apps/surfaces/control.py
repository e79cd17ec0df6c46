"""The control contract as code: the control plane for tenants and their workspaces.

Source: contracts/control.md, "Conventions"; what it leaves open is decided in docs/surfaces.md. Its headers are in
apps.surfaces.headers.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.core.clock import iso, now
from apps.core.errors import Kind
from apps.core.principal import Principal
from apps.surfaces.headers import CORRELATION, VERSION, is_versioned
from apps.surfaces.kit.answers import Answer, Page
from apps.surfaces.kit.paging import CursorPaging, PageStyle
from apps.surfaces.kit.problems import Circumstances, Problem, Sort, Transport
from apps.surfaces.kit.surface import RequestHeader, Surface
from apps.surfaces.kit.views import SurfaceViewSet

# Dates of the interface (`X-API-Version`), the newest first.
API_VERSIONS = ("2026-01-01",)

SUPERADMIN, PLATFORM_ADMIN, PLATFORM_OPERATOR = "superadmin", "platform_admin", "platform_operator"
# What each permission asks for: one of these roles or scopes of the token.
PLATFORM_READ, PLATFORM_WRITE = "platform:read", "platform:write"
_GRANTED_BY: Mapping[str, frozenset[str]] = {
    PLATFORM_READ: frozenset({SUPERADMIN, PLATFORM_ADMIN, PLATFORM_OPERATOR}),
    PLATFORM_WRITE: frozenset({SUPERADMIN, PLATFORM_ADMIN}),
}

_CODES: Mapping[Sort, str] = {
    Kind.INVALID: "VALIDATION_ERROR",
    Kind.UNAUTHENTICATED: "UNAUTHENTICATED",
    Kind.FORBIDDEN: "SCOPE_INSUFFICIENT",
    Kind.NOT_FOUND: "RESOURCE_NOT_FOUND",
    Kind.CONFLICT: "CONFLICT",
    Kind.UNPROCESSABLE: "UNPROCESSABLE",
    Kind.PRECONDITION: "VERSION_CONFLICT",
    Kind.TOO_LARGE: "PAYLOAD_TOO_LARGE",
    Kind.LOCKED: "LOCKED",
    Kind.RATE_LIMITED: "RATE_LIMITED",
    Kind.UNAVAILABLE: "UNAVAILABLE",
    Transport.METHOD_NOT_ALLOWED: "METHOD_NOT_ALLOWED",
    Transport.NOT_ACCEPTABLE: "NOT_ACCEPTABLE",
    Transport.UNSUPPORTED_MEDIA_TYPE: "UNSUPPORTED_MEDIA_TYPE",
    Transport.INTERNAL: "INTERNAL_ERROR",
}
# Codes of the domain that the contract names itself; all others are told by their kind.
_OWN = frozenset(
    {
        "API_VERSION_REQUIRED",
        "API_VERSION_INVALID",
        "CAPABILITY_DISABLED",
        "SLUG_TAKEN",
        "IDEMPOTENCY_KEY_REUSED",
        "IDEMPOTENCY_IN_PROGRESS",
        "INVALID_TRANSITION",
        "PLAN_NOT_FOUND",
        "DOWNGRADE_BLOCKED",
        "QUOTA_EXCEEDED",
    }
)
# Every move that the life cycle does not have is one and the same refusal here.
_TRANSITIONS = frozenset({"INVALID_TRANSITION", "ALREADY_IN_STATUS", "TRIAL_ENDED", "RETENTION_OVER"})
_UNPROCESSABLE = frozenset({"INVALID_TRANSITION", "PLAN_NOT_FOUND", "DOWNGRADE_BLOCKED"})


class Control(Surface):
    name = "control"
    title = "Steward: control"
    description = (
        "The control plane: tenants, workspaces and their engines. Callers are machines with a token."
    )
    prefixes = ("/v1", "/health")
    paging = CursorPaging(default=20, most=100)
    security = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    max_body_bytes = 262_144

    def knows(self, permission: str) -> bool:
        return permission in _GRANTED_BY

    def permits(self, principal: Principal, permission: str) -> bool:
        return bool(principal.scopes & _GRANTED_BY[permission])

    def envelope(self, answer: Answer) -> Any:
        return answer.data

    def page(self, page: Page) -> dict[str, Any]:
        at = page.position
        pagination = {"limit": at["limit"], "nextCursor": at["next"], "hasMore": at["has_more"]}
        return {"data": page.rows, "pagination": pagination}

    def status(self, problem: Problem) -> int:
        return 422 if _code(problem) in _UNPROCESSABLE else super().status(problem)

    def error(self, problem: Problem, where: Circumstances) -> dict[str, Any]:
        error: dict[str, Any] = {
            "code": _code(problem),
            "message": problem.message,
            "correlationId": where.correlation_id,
            "timestamp": iso(now()),
        }
        if problem.details:
            error["details"] = dict(problem.details)
        return {"error": error}

    def headers(self, path: str) -> Sequence[RequestHeader]:
        version = RequestHeader(
            VERSION,
            "Version of the interface: a date that is not in the future.",
            r"^\d{4}-\d\d-\d\d$",
            required=True,
        )
        correlation = RequestHeader(
            CORRELATION, "Comes back in the answer; made where it is missing.", "^[A-Za-z0-9._:-]{8,128}$"
        )
        return [version, correlation] if is_versioned(path) else [correlation]

    def error_schema(self) -> dict[str, Any]:
        error = {
            "type": "object",
            "properties": {
                "code": {"type": "string", "pattern": "^[A-Z_]+$"},
                "message": {"type": "string"},
                "correlationId": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{8,128}$"},
                "timestamp": {"type": "string", "format": "date-time"},
                "details": {"type": "object", "additionalProperties": True},
            },
            "required": ["code", "message", "correlationId", "timestamp"],
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
        del collection, style
        return {
            "type": "object",
            "properties": {"data": {"type": "array", "items": items}, "pagination": _PAGINATION},
            "required": ["data", "pagination"],
        }

    def error_example(self, status: int) -> dict[str, Any]:
        code, message = _EXAMPLES[status]
        error: dict[str, Any] = {
            "code": code,
            "message": message,
            "correlationId": "cor_01JD8Z3K5Q6R7S8T9V0W1X2Y3Z",
            "timestamp": "2026-01-31T12:00:00.000Z",
        }
        if status == 400:
            error["details"] = {"limit": ["Ensure this value is less than or equal to 100."]}
        return {"error": error}


def _code(problem: Problem) -> str:
    if problem.code in _TRANSITIONS:
        return "INVALID_TRANSITION"
    named = problem.sort is Kind.NOT_FOUND and problem.code.endswith("_NOT_FOUND")
    return problem.code if named or problem.code in _OWN else _CODES[problem.sort]


_PAGINATION: dict[str, Any] = {
    "type": "object",
    "properties": {
        "limit": {"type": "integer"},
        "nextCursor": {"type": ["string", "null"], "description": "Null on the last page."},
        "hasMore": {"type": "boolean"},
    },
    "required": ["limit", "nextCursor", "hasMore"],
}
_EXAMPLES: Mapping[int, tuple[str, str]] = {
    400: ("VALIDATION_ERROR", "The request is not valid."),
    401: ("UNAUTHENTICATED", "Sign in first."),
    403: ("SCOPE_INSUFFICIENT", "You may not do this."),
    404: ("TENANT_NOT_FOUND", "There is no such tenant."),
    409: ("CONFLICT", "This conflicts with the present state."),
    412: ("VERSION_CONFLICT", "The resource has changed since you read it."),
    413: ("PAYLOAD_TOO_LARGE", "The request is too large."),
    415: ("UNSUPPORTED_MEDIA_TYPE", "Send application/json."),
    422: ("INVALID_TRANSITION", "The tenant can't go there from its present status."),
    423: ("LOCKED", "The resource is locked."),
    429: ("RATE_LIMITED", "Too many requests."),
    500: ("INTERNAL_ERROR", "Something went wrong on our side; it was logged under the request id."),
    503: ("UNAVAILABLE", "PostgreSQL does not answer."),
}

SURFACE = Control()


class ViewSet(SurfaceViewSet):
    """A view of the control surface."""

    surface = SURFACE
