"""What went wrong, before a surface puts it into its own words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from apps.core.errors import Kind


class Transport(StrEnum):
    """Refusals that no domain knows: they belong to HTTP, or to us."""

    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_ACCEPTABLE = "not_acceptable"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    INTERNAL = "internal"


Sort = Kind | Transport

STATUS: Mapping[Sort, int] = {
    Kind.INVALID: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Transport.METHOD_NOT_ALLOWED: 405,
    Transport.NOT_ACCEPTABLE: 406,
    Kind.CONFLICT: 409,
    Kind.PRECONDITION: 412,
    Kind.TOO_LARGE: 413,
    Transport.UNSUPPORTED_MEDIA_TYPE: 415,
    Kind.UNPROCESSABLE: 422,
    Kind.LOCKED: 423,
    Kind.RATE_LIMITED: 429,
    Transport.INTERNAL: 500,
    Kind.UNAVAILABLE: 503,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal.

    Attributes:
        code: the domain's code; a surface may write its own instead.
        details: for `INVALID`, {field: [sentences]}; otherwise what the error carries.
    """

    sort: Sort
    code: str
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Where a problem arose: what an error body may name."""

    request_id: str
    correlation_id: str
    path: str = ""
