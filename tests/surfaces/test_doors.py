"""The doors: each route says whose it is, who may use it and how often; nothing shadows anything."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from apps.surfaces.kit.documents import documents, routes_of
from apps.surfaces.kit.doors import Route
from apps.surfaces.kit.inputs import Nothing
from apps.surfaces.kit.surface import OPEN, Surface, surface_of, surfaces
from apps.surfaces.kit.views import SurfaceViewSet
from tests.surfaces.samples import SAMPLES

ROUTES = [(surface, route) for surface in surfaces() for route in routes_of(surface.name)]
every_route = pytest.mark.parametrize(("surface", "route"), ROUTES, ids=[str(route) for _, route in ROUTES])


def patterns(resolver: URLResolver, prefix: str = "") -> list[tuple[str, Any]]:
    """Every path of the whole site with its view."""
    found: list[tuple[str, Any]] = []
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            found.append((path, pattern.callback))
        else:
            found += patterns(pattern, path)
    return found


@every_route
def test_a_route_declares_surface_permission_and_throttle(surface: Surface, route: Route) -> None:
    declared = route.declaration
    assert declared is not None, f"{route} declares nothing: decorate {route.action} with reads or changes"
    assert route.view.surface is surface
    is_question = route.method == "POST" and not declared.mutates and declared.body is not Nothing
    assert declared.permission == OPEN or surface.knows(declared.permission)
    assert settings.SURFACE_RATE_LIMITS[declared.throttle] > 0
    assert declared.mutates != (route.method == "GET" or is_question)
    assert declared.summary.endswith(".")
    assert declared.target or not declared.mutates


@every_route
def test_a_route_has_a_sample(surface: Surface, route: Route) -> None:
    assert str(route) in SAMPLES, "add one to tests/surfaces/samples.py"


def test_no_sample_is_left_of_a_route_that_went() -> None:
    assert set(SAMPLES) <= {str(route) for _, route in ROUTES}


@every_route
def test_a_route_is_reached_under_its_own_path_and_prefix(surface: Surface, route: Route) -> None:
    path = route.path.replace("{", "x").replace("...}", "").replace("}", "")
    found: Any = resolve(path)
    assert found.func.cls is route.view
    assert found.func.actions[route.method.lower()] == route.action
    assert surface_of(path) is surface
    assert not route.path.endswith("/")


def test_below_a_surface_stands_no_view_but_those_of_its_table() -> None:
    tabled = {(route.view, route.action) for _, route in ROUTES}
    for path, view in patterns(get_resolver()):
        if surface_of("/" + path.replace("<str:", "x").replace(">", "")) is None:
            continue
        cls = getattr(view, "cls", None)
        assert cls is not None, f"{path} is no view of the kit"
        assert issubclass(cls, SurfaceViewSet), path
        for method, action in view.actions.items():
            assert (cls, action) in tabled or method == "head", path


def test_the_committed_documents_are_what_the_code_says() -> None:
    folder = Path(settings.BASE_DIR) / "openapi"
    for name, content in documents():
        assert (folder / f"{name}.yaml").read_bytes() == content, "run `make schema`"


def test_documents_are_the_same_each_time() -> None:
    assert dict(documents()) == dict(documents())
