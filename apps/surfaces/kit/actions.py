"""What an action of a view declares. A route whose action declares nothing can't be served."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Required, TypedDict, Unpack, cast

from django.http import HttpResponseBase
from rest_framework.serializers import BaseSerializer

from apps.core.errors import Conflict, DomainError, NotFound, PreconditionFailed
from apps.surfaces.kit.answers import Result
from apps.surfaces.kit.calls import Call
from apps.surfaces.kit.inputs import Body, Nothing, Query
from apps.surfaces.kit.ordering import Ordering
from apps.surfaces.kit.paging import PageStyle

DECLARATION = "declaration"
Handler = Callable[[Any, Call], Result]
# By operation id: JSON pointers into the body, by parameter.
Links = Mapping[str, Mapping[str, str]]
# What OpenAPI shows: a serializer class, or a JSON schema.
AnswerShape = type[BaseSerializer[Any]] | Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Action:
    """The declaration of one action.

    Attributes:
        mutates: it changes something: idempotency, `validate_only`, one transaction.
        body: what is sent; a question that needs more room than an address has one too (POST).
        permission: in the words of the surface.
        throttle: a key of settings.SURFACE_RATE_LIMITS.
        audit: the action under which a look is recorded; for reads that leave an audit row.
        paging: how this list is cut, where that is not the surface's own way.
        target: the type of what is acted upon, for the trail of refused attempts.
        refusals: domain errors that the route answers with, for OpenAPI.
        status: the status of a success; further ones are in `also`.
        conditional: answers with an ETag, and 304 to `If-None-Match` (kit.answers.Prepared).
        formats: other media types that the route can answer with, and what they hold.
        example, body_example: what answer and body may look like, for OpenAPI.
        outside: the handler runs outside of a transaction (claim → call → settle).
        shown_once: keys of the answer that are null in a replay.
        links: routes that a success leads to, for OpenAPI: by operation id, what of the body is which parameter of
            the path, `{"tenants_retrieve": {"id": "/data/tenant_id"}}`.
    """

    name: str
    mutates: bool
    permission: str
    throttle: str
    summary: str
    description: str
    answer: AnswerShape
    query: type[Query] = Query
    body: type[Body] = Nothing
    ordering: Ordering | None = None
    paged: bool = False
    collection: str | None = None
    paging: PageStyle | None = None
    audit: str | None = None
    target: str = ""
    refusals: Sequence[type[DomainError]] = (NotFound,)
    status: int = 200
    also: Sequence[int] = ()
    formats: Mapping[str, str] = field(default_factory=dict)
    example: Any = None
    body_example: Any = None
    outside: bool = False
    shown_once: Sequence[str] = ()
    links: Links = field(default_factory=dict)
    conditional: bool = False
    max_body_bytes: int | None = None

    @property
    def takes_body(self) -> bool:
        """False where what is sent beside the address is not looked at."""
        return self.mutates or self.body is not Nothing


class Served(Protocol):
    """A bound action: from the path's parameters to a response."""

    def __call__(self, path: dict[str, str]) -> HttpResponseBase: ...


class _Common(TypedDict, total=False):
    """What both kinds declare; see `Action`."""

    permission: Required[str]
    throttle: Required[str]
    answer: Required[AnswerShape]
    query: type[Query]
    body: type[Body]
    body_example: Any
    max_body_bytes: int | None
    refusals: Sequence[type[DomainError]]
    example: Any


class Reads(_Common, total=False):
    """What `reads` takes."""

    ordering: Ordering | None
    paged: bool
    collection: str | None
    paging: PageStyle | None
    audit: str | None
    target: str
    conditional: bool
    formats: Mapping[str, str]


class Changes(_Common, total=False):
    """What `changes` takes."""

    target: Required[str]
    status: int
    also: Sequence[int]
    outside: bool
    shown_once: Sequence[str]
    links: Links


def reads(**declared: Unpack[Reads]) -> Callable[[Handler], Any]:
    """Declares an action that changes nothing: GET, or a question with a body (POST)."""

    def decorate(handler: Handler) -> Any:
        summary, description = _documentation(handler)
        action = Action(
            name=_name(handler), mutates=False, summary=summary, description=description, **declared
        )
        return _served(handler, action)

    return decorate


def changes(**declared: Unpack[Changes]) -> Callable[[Handler], Any]:
    """Declares an action that changes something (POST, PUT, PATCH, DELETE)."""
    declared.setdefault("refusals", (NotFound, Conflict, PreconditionFailed))

    def decorate(handler: Handler) -> Any:
        summary, description = _documentation(handler)
        action = Action(
            name=_name(handler), mutates=True, summary=summary, description=description, **declared
        )
        return _served(handler, action)

    return decorate


def declaration_of(view: object, name: str | None) -> Action | None:
    """What the view (or its class) declares for an action; None for one that declares nothing."""
    found = getattr(getattr(view, name or "", None), DECLARATION, None)
    return found if isinstance(found, Action) else None


def _served(handler: Handler, action: Action) -> Any:
    def serve(view: Any, path: dict[str, str]) -> HttpResponseBase:
        return cast("HttpResponseBase", view.serve(action, handler, path))

    serve.__name__ = action.name
    serve.__doc__ = handler.__doc__
    setattr(serve, DECLARATION, action)
    return serve


def _name(handler: Handler) -> str:
    return getattr(handler, "__name__", "")


def _documentation(handler: Handler) -> tuple[str, str]:
    summary, _, description = inspect.cleandoc(handler.__doc__ or "").partition("\n")
    return summary.strip(), description.strip()
