"""URL tables."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.urls import resolve

from apps.surfaces.kit.doors import paths, route
from tests.surfaces.kit.world import PREFIX, Notes, Odd


def test_literal_segments_come_before_parameters_in_whatever_order_they_stand() -> None:
    found = paths(
        [
            route("GET /v1/files/{key...}", Notes, "list"),
            route("GET /v1/{id}/open", Odd, "open"),
            route("GET /v1/{id}", Notes, "retrieve"),
            route("POST /v1/test", Notes, "create"),
        ]
    )
    assert [str(pattern.pattern) for pattern in found] == [
        "v1/files/<path:key>",
        "v1/test",
        "v1/<str:id>",
        "v1/<str:id>/open",
    ]


@pytest.mark.parametrize(
    "line", ["FETCH /a", "get /a", "GET a", "GET /a/", "GET", "/a", "OPTIONS /a", "HEAD /a"]
)
def test_a_line_that_is_no_route_is_refused(line: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="is no route"):
        route(line, Notes, "list")


def test_an_action_that_is_not_there_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="has no action"):
        route("GET /a", Notes, "missing")


def test_a_line_twice_and_two_views_at_one_path_are_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="stands twice"):
        paths([route("GET /a", Notes, "list"), route("GET /a", Notes, "retrieve")])
    with pytest.raises(ImproperlyConfigured, match="two views"):
        paths([route("GET /a", Notes, "list"), route("POST /a", Odd, "secret")])


def test_a_reserved_word_is_not_taken_for_an_id() -> None:
    assert resolve(f"{PREFIX}/open").func.actions["get"] == "open"  # type: ignore[attr-defined]  # DRF's view
