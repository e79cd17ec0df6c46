"""Errors of the domain. A service raises them; the surface or page chooses status and body by `kind`."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar


class Kind(StrEnum):
    """What sort of refusal it is. Surfaces map kinds to statuses; a conflict is never a validation error."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    PRECONDITION = "precondition"
    UNPROCESSABLE = "unprocessable"
    TOO_LARGE = "too_large"
    LOCKED = "locked"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"


class DomainError(Exception):
    """A refusal with a stable `code`, a sentence for people in `message`, and structured `details`."""

    kind: ClassVar[Kind]
    code: str = ""
    message: str = ""

    def __init__(
        self, message: str | None = None, *, code: str | None = None, details: Mapping[str, Any] | None = None
    ) -> None:
        self.message = message or self.message
        self.code = code or self.code
        self.details: dict[str, Any] = dict(details or {})
        super().__init__(self.message)


class Invalid(DomainError):
    """The input is wrong. `details` is {field: [sentences]} where a field is to blame."""

    kind = Kind.INVALID
    code = "INVALID"
    message = "The request is not valid."


class Unauthenticated(DomainError):
    kind = Kind.UNAUTHENTICATED
    code = "UNAUTHENTICATED"
    message = "Sign in first."


class Forbidden(DomainError):
    kind = Kind.FORBIDDEN
    code = "FORBIDDEN"
    message = "You may not do this."


class NotFound(DomainError):
    kind = Kind.NOT_FOUND
    code = "NOT_FOUND"
    message = "There is no such thing."


class Conflict(DomainError):
    kind = Kind.CONFLICT
    code = "CONFLICT"
    message = "This conflicts with the present state."


class PreconditionFailed(DomainError):
    """`If-Match` names another version; `details["current"]` is the present one."""

    kind = Kind.PRECONDITION
    code = "VERSION_CONFLICT"
    message = "The resource has changed since you read it."


class Unprocessable(DomainError):
    kind = Kind.UNPROCESSABLE
    code = "UNPROCESSABLE"
    message = "This can't be done in the present state."


class TooLarge(DomainError):
    kind = Kind.TOO_LARGE
    code = "PAYLOAD_TOO_LARGE"
    message = "The request is too large."


class Locked(DomainError):
    kind = Kind.LOCKED
    code = "LOCKED"
    message = "The resource is locked."


class RateLimited(DomainError):
    """`retry_after` is in whole seconds."""

    kind = Kind.RATE_LIMITED
    code = "RATE_LIMITED"
    message = "Too many requests."

    def __init__(self, message: str | None = None, *, retry_after: int) -> None:
        super().__init__(message, details={})
        self.retry_after = retry_after


class Unavailable(DomainError):
    """Something that Steward needs is away; the sentence says what. Nothing was changed."""

    kind = Kind.UNAVAILABLE
    code = "UNAVAILABLE"
    message = "A part of Steward is away."
