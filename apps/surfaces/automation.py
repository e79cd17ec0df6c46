"""The automation contract as code: scripts and pipelines with a key.

Source: contracts/automation.md, "Conventions"; what it leaves open is decided in docs/surfaces.md.
"""

from collections.abc import Mapping
from typing import Any

from apps.core.errors import Kind
from apps.core.principal import Principal, PrincipalKind
from apps.surfaces.kit.answers import Answer, Page
from apps.surfaces.kit.paging import OpenPaging, PageStyle
from apps.surfaces.kit.problems import Circumstances, Problem, Sort, Transport
from apps.surfaces.kit.surface import Surface
from apps.surfaces.kit.views import SurfaceViewSet

# The one permission: a key is good for every route.
KEY = "admin key"

_CODES: Mapping[Sort, str] = {
    Kind.INVALID: "invalid",
    Kind.UNAUTHENTICATED: "forbidden",
    Kind.FORBIDDEN: "forbidden",
    Kind.NOT_FOUND: "not_found",
    Kind.CONFLICT: "conflict",
    Kind.UNPROCESSABLE: "unprocessable",
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
# Refusals of the domain that the contract tells apart from others of their kind.
_OWN: Mapping[str, str] = {
    "ALREADY_IN_STATUS": "invalid_status",
    "INVALID_TRANSITION": "invalid_status",
    "TRIAL_ENDED": "invalid_status",
    "RETENTION_OVER": "invalid_status",
    "NOT_ON_TRIAL": "invalid_status",
}
# No 401 here: without a key everything is 403. A conflict is 400.
_STATUS: Mapping[Sort, int] = {Kind.UNAUTHENTICATED: 403, Kind.CONFLICT: 400, Kind.UNPROCESSABLE: 400}


class Automation(Surface):
    name = "automation"
    title = "Steward: automation"
    description = "Platform automation for scripts and pipelines, with `X-Admin-Key`."
    prefixes = ("/admin",)
    paging = OpenPaging()
    security = {"key": {"type": "apiKey", "in": "header", "name": "X-Admin-Key"}}
    closed = True
    public = False

    def knows(self, permission: str) -> bool:
        return permission == KEY

    def permits(self, principal: Principal, permission: str) -> bool:
        return permission == KEY and principal.kind is PrincipalKind.KEY

    def envelope(self, answer: Answer) -> Any:
        return answer.data

    def page(self, page: Page) -> dict[str, Any]:
        return {page.collection or "items": page.rows, **page.position}

    def status(self, problem: Problem) -> int:
        return _STATUS.get(problem.sort) or super().status(problem)

    def error(self, problem: Problem, where: Circumstances) -> dict[str, Any]:
        del where
        code = _OWN.get(problem.code, _CODES[problem.sort])
        body: dict[str, Any] = {"detail": problem.message, "code": code}
        if code == "invalid":
            body["errors"] = {str(field): _sentences(said) for field, said in problem.details.items()}
        return body

    def error_schema(self) -> dict[str, Any]:
        errors = {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}}
        return {
            "type": "object",
            "properties": {"detail": {"type": "string"}, "code": {"type": "string"}, "errors": errors},
            "required": ["detail", "code"],
            "additionalProperties": False,
        }

    def envelope_schema(self, data: dict[str, Any]) -> dict[str, Any]:
        return data

    def page_schema(self, items: dict[str, Any], collection: str | None, style: PageStyle) -> dict[str, Any]:
        del style
        rows = collection or "items"
        return {
            "type": "object",
            "properties": {rows: {"type": "array", "items": items}, "total": {"type": "integer"}},
            "required": [rows, "total"],
        }

    def error_example(self, status: int) -> dict[str, Any]:
        code, detail = _EXAMPLES[status]
        body: dict[str, Any] = {"detail": detail, "code": code}
        if code == "invalid":
            body["errors"] = {"limit": ["Ensure this value is less than or equal to 100."]}
        return body


def _sentences(said: Any) -> list[str]:
    return [str(sentence) for sentence in said] if isinstance(said, list | tuple) else [str(said)]


_EXAMPLES: Mapping[int, tuple[str, str]] = {
    400: ("invalid", "The request is not valid."),
    403: ("forbidden", "A valid X-Admin-Key is needed."),
    404: ("not_found", "There is no such tenant."),
    409: ("conflict", "This conflicts with the present state."),
    412: ("version_conflict", "The resource has changed since you read it."),
    413: ("payload_too_large", "The request is too large."),
    415: ("unsupported_media_type", "Send application/json."),
    423: ("locked", "The resource is locked."),
    429: ("rate_limited", "Too many requests."),
    500: ("internal_error", "Something went wrong on our side; it was logged."),
    503: ("unavailable", "PostgreSQL does not answer."),
}

SURFACE = Automation()


class ViewSet(SurfaceViewSet):
    """A view of the automation surface."""

    surface = SURFACE
