"""Every route of every surface against its own document. docs/surfaces.md, "Fuzzing", says how to run and replay."""

import os
from functools import cache

import pytest
from pytest_django import Settings

from apps.surfaces.kit.documents import routes_of
from apps.surfaces.kit.doors import Route
from apps.surfaces.kit.surface import Surface, surfaces
from tests.fuzz.driver import Plan, Run
from tests.fuzz.stateful import linked, scenarios
from tests.surfaces.places import make_places
from tests.surfaces.sending import known_document
from tests.surfaces.test_every_route import every_route

# Of each surface; `make fuzz` sets another number. With a seed the cases are other ones than without.
CASES = int(os.environ.get("FUZZ_CASES", "2000"))
SEED = int(os.environ["FUZZ_SEED"]) if os.environ.get("FUZZ_SEED") else None

# Hundreds of requests each; a busy machine takes its time.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(autouse=True)
def _limits_raised(settings: Settings) -> None:
    """Still counted, and out of reach."""
    settings.SURFACE_RATE_LIMITS = dict.fromkeys(settings.SURFACE_RATE_LIMITS, 1_000_000)


def takes_input(surface: Surface, route: Route) -> bool:
    """Only what takes something can be asked in more than one way."""
    operation = known_document(surface)["paths"][route.path.replace("...}", "}")][route.method.lower()]
    return bool(operation.get("parameters") or operation.get("requestBody"))


@cache
def share(surface: Surface) -> int:
    """How many cases each route that takes something has, so that the surface has its number."""
    taking = sum(takes_input(surface, route) for route in routes_of(surface.name))
    return -(-CASES // max(1, taking))


@every_route
def test_a_route_keeps_to_its_document_whatever_it_is_sent(surface: Surface, route: Route, db: None) -> None:
    run = Run(surface, route, make_places().live, Plan(share(surface), SEED))
    run.all()
    assert run.count["cases"] >= (share(surface) if takes_input(surface, route) else 1), run.count
    assert any(status.startswith("2") for status in run.count), f"never a success: {run.count}"


@pytest.mark.parametrize(
    "surface", [each for each in surfaces() if linked(each)], ids=lambda surface: surface.name
)
def test_what_a_success_leads_to_keeps_to_the_document_too(surface: Surface, db: None) -> None:
    followed = scenarios(surface, make_places().live, Plan(max(20, CASES // 50), SEED))
    assert followed.keys() == set().union(*linked(surface).values()), "a link that led nowhere"
