"""What the five contracts differ in. One subclass for each in apps/surfaces/<name>.py; settings.SURFACES has them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, cast

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string

from apps.core.principal import Principal
from apps.surfaces.kit.answers import Answer, Page
from apps.surfaces.kit.paging import PageStyle
from apps.surfaces.kit.problems import STATUS, Circumstances, Problem

# A permission that everybody has, signed in or not. Credentials that are sent are still looked at.
OPEN = "open"


@dataclass(frozen=True, slots=True)
class RequestHeader:
    """A header that a surface reads on all routes at a path; its steps check it."""

    name: str
    description: str
    pattern: str
    required: bool = False


class Surface(ABC):
    """One contract: prefixes, permissions, envelope, errors, paging, and how OpenAPI shows them."""

    name: ClassVar[str]
    title: ClassVar[str]
    version: ClassVar[str] = "1.0.0"
    description: ClassVar[str] = ""
    # URL prefixes; the surface with the longest matching one answers for an unknown path.
    prefixes: ClassVar[Sequence[str]]
    paging: ClassVar[PageStyle]
    # OpenAPI security schemes by name; any one of them suffices.
    security: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    # Whether its OpenAPI document stands at /docs/.
    public: ClassVar[bool] = True
    max_body_bytes: ClassVar[int] = 1_048_576
    # Who calls is asked before anything else: strangers aren't told which paths and methods there are.
    closed: ClassVar[bool] = False

    def admits(self, request: HttpRequest) -> bool:
        """False where the caller is answered as if nothing stood at the path."""
        del request
        return True

    def budget_of(self, principal: Principal | None, address: str | None) -> str:
        """Whose requests are counted together."""
        return principal.id if principal is not None else f"address:{address}"

    @abstractmethod
    def knows(self, permission: str) -> bool:
        """True for a permission that a route of this surface may declare."""

    @abstractmethod
    def permits(self, principal: Principal, permission: str) -> bool:
        """True where the caller may use the route; rows are narrowed later (`visible_to`)."""

    @abstractmethod
    def envelope(self, answer: Answer) -> Any:
        """The body of a success."""

    @abstractmethod
    def page(self, page: Page) -> Any:
        """The body of a page."""

    def status(self, problem: Problem) -> int:
        return STATUS[problem.sort]

    @abstractmethod
    def error(self, problem: Problem, where: Circumstances) -> dict[str, Any]:
        """The body of a refusal."""

    # --- OpenAPI ---

    def is_secured(self, permission: str) -> bool:
        """False for a permission that asks for no credential."""
        return permission != OPEN

    def headers(self, path: str) -> Sequence[RequestHeader]:
        """What it reads beside the headers of the kit."""
        del path
        return ()

    @abstractmethod
    def error_schema(self) -> dict[str, Any]:
        """JSON schema of the body of a refusal."""

    @abstractmethod
    def envelope_schema(self, data: dict[str, Any]) -> dict[str, Any]:
        """JSON schema of a success around the schema of its data."""

    @abstractmethod
    def page_schema(self, items: dict[str, Any], collection: str | None, style: PageStyle) -> dict[str, Any]:
        """JSON schema of a page around the schema of one row."""

    @abstractmethod
    def error_example(self, status: int) -> dict[str, Any]:
        """What a refusal with this status looks like."""


@cache
def surfaces() -> Sequence[Surface]:
    """The surfaces of settings.SURFACES."""
    return [cast("Surface", import_string(path)) for path in settings.SURFACES]


def surface_of(path: str) -> Surface | None:
    """The surface that answers for a path: the one with the longest prefix; None for pages and machine doors."""
    found: tuple[int, Surface] | None = None
    for surface in surfaces():
        for prefix in surface.prefixes:
            inside = path == prefix or path.startswith(f"{prefix}/")
            if inside and (found is None or len(prefix) > found[0]):
                found = (len(prefix), surface)
    return found[1] if found else None
