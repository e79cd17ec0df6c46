"""URL tables: one line a route, written as on the contract page."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.urls import URLPattern, path

from apps.surfaces.kit.actions import Action, declaration_of
from apps.surfaces.kit.views import SurfaceViewSet

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_PARAMETER = re.compile(r"\{([A-Za-z_]+)(\.\.\.)?\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One line: a method and path, and the action that serves it."""

    method: str
    path: str
    view: type[SurfaceViewSet]
    action: str

    @property
    def declaration(self) -> Action | None:
        return declaration_of(self.view, self.action)

    @property
    def mutates(self) -> bool:
        """False for what only reads, whatever its method; what declares nothing counts as a change."""
        return self.declaration is None or self.declaration.mutates

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def route(line: str, view: type[SurfaceViewSet], action: str) -> Route:
    """`route("GET /api/v1/platform/admin/users/{id}", Users, "retrieve")`.

    `{id}` takes one segment, `{key...}` the rest of the path.

    Raises:
        ImproperlyConfigured: a method that is not served, or a path that does not begin with a slash.
    """
    method, _, address = line.partition(" ")
    address = address.strip()
    if method not in _METHODS or not address.startswith("/") or address.endswith("/"):
        raise ImproperlyConfigured(f"{line!r} is no route: write a method, a space and a path")
    if not hasattr(view, action):
        raise ImproperlyConfigured(f"{view.__name__} has no action {action!r}")
    return Route(method, address, view, action)


def paths(routes: Sequence[Route]) -> list[URLPattern]:
    """Django's patterns, one for each path; literal segments come before parameters, in whatever order they stand.

    Raises:
        ImproperlyConfigured: a line stands twice, or the methods of one path lie in two views.
    """
    tables: dict[str, dict[str, Route]] = {}
    for each in routes:
        table = tables.setdefault(each.path, {})
        if each.method in table:
            raise ImproperlyConfigured(f"{each} stands twice")
        if any(other.view is not each.view for other in table.values()):
            raise ImproperlyConfigured(f"{each.path} is served by two views; put its actions into one")
        table[each.method] = each
    return [_pattern(address, tables[address]) for address in sorted(tables, key=_specific_first)]


def _specific_first(address: str) -> list[tuple[int, str]]:
    return [(_kind(segment), segment) for segment in address.split("/")]


def _kind(segment: str) -> int:
    """Literal segments before parameters before the rest of a path."""
    if "..." in segment:
        return 2
    return 1 if "{" in segment else 0


def _pattern(address: str, table: dict[str, Route]) -> URLPattern:
    view = next(iter(table.values())).view
    actions: dict[str, Any] = {method.lower(): each.action for method, each in table.items()}
    pattern = _PARAMETER.sub(
        lambda found: f"<{'path' if found.group(2) else 'str'}:{found.group(1)}>", address.removeprefix("/")
    )
    return path(pattern, view.as_view(actions))
