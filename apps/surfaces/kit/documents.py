"""The OpenAPI document of each surface, from its door."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any, cast

from django.conf import settings
from django.urls import URLPattern
from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.validation import validate_schema

from apps.surfaces.kit.doors import Route
from apps.surfaces.kit.surface import Surface, surfaces


class DocumentFlawed(Exception):
    """The document can't be made without warnings, or is not valid OpenAPI."""


@cache
def routes_of(surface: str) -> Sequence[Route]:
    """The lines of a surface's door (settings.SURFACE_DOORS)."""
    return cast("Sequence[Route]", import_module(settings.SURFACE_DOORS[surface]).ROUTES)


def documents() -> Iterator[tuple[str, bytes]]:
    """The name and the YAML of each surface's document.

    Raises:
        DocumentFlawed: see there.
    """
    for surface in surfaces():
        yield surface.name, rendered(document_of(surface))


def document_of(surface: Surface) -> dict[str, Any]:
    """The document of a surface, its paths in the order of its door."""
    patterns = cast("list[URLPattern]", import_module(settings.SURFACE_DOORS[surface.name]).urlpatterns)
    generator = SchemaGenerator(patterns=patterns)
    document: dict[str, Any] = generator.get_schema(public=True)
    complaints = list(GENERATOR_STATS._warn_cache) + list(GENERATOR_STATS._error_cache)  # noqa: SLF001  no other way
    reset_generator_stats()
    if complaints:
        raise DocumentFlawed("; ".join(map(str, complaints)))
    document["info"] = {
        "title": surface.title,
        "version": surface.version,
        "description": surface.description,
    }
    document["paths"] = _in_order(document.get("paths", {}), routes_of(surface.name))
    document = cast("dict[str, Any]", _without_marks(document))
    try:
        validate_schema(document)
    except Exception as wrong:
        raise DocumentFlawed(str(wrong)) from wrong
    return document


def _without_marks(value: Any) -> Any:
    """Without what drf-spectacular notes for its own later steps."""
    if isinstance(value, dict):
        return {key: _without_marks(inner) for key, inner in value.items() if key != "x-spec-enum-id"}
    return [_without_marks(inner) for inner in value] if isinstance(value, list) else value


def rendered(document: Mapping[str, Any]) -> bytes:
    return cast("bytes", OpenApiYamlRenderer().render(document, renderer_context={}))


def _in_order(paths: Mapping[str, Any], routes: Sequence[Route]) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = route.path.replace("...}", "}")
        found.setdefault(path, {})[route.method.lower()] = paths[path][route.method.lower()]
    return found
