"""OpenAPI of the small surface."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from apps.surfaces.kit import documents
from apps.surfaces.kit.documents import document_of
from apps.surfaces.kit.doors import paths, route
from apps.surfaces.platform import SURFACE
from tests.surfaces.kit import world
from tests.surfaces.kit.world import PREFIX, Notes


@pytest.fixture
def document(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    lines = [
        route(f"GET {PREFIX}", Notes, "list"),
        route(f"POST {PREFIX}", Notes, "create"),
        route(f"DELETE {PREFIX}/{{id}}", Notes, "destroy"),
    ]
    settings.SURFACE_DOORS = {"platform": "tests.surfaces.kit.world"}
    monkeypatch.setattr(world, "urlpatterns", paths(lines))
    monkeypatch.setattr(documents, "routes_of", lambda _name: lines)
    return document_of(SURFACE)


def test_a_list_has_its_parameters_its_page_and_its_other_format(document: dict[str, Any]) -> None:
    operation = document["paths"][PREFIX]["get"]
    assert {parameter["name"] for parameter in operation["parameters"]} == {
        "limit",
        "offset",
        "ordering",
        "plan",
        "status",
        "since",
        "users_min",
        "mrr_min",
        "test",
        "format",
    }
    content = operation["responses"]["200"]["content"]
    assert set(content) == {"application/json", "text/csv"}
    assert set(content["application/json"]["schema"]["properties"]) == {
        "success",
        "data",
        "pagination",
        "meta",
    }
    assert operation["operationId"] == "notes_list"
    assert operation["summary"] == "Notes, newest first."
    assert operation["security"] == [{"session": []}, {"bearer": []}, {"nile": []}]


def test_a_mutation_has_its_headers_body_and_refusals(document: dict[str, Any]) -> None:
    operation = document["paths"][PREFIX]["post"]
    names = {(parameter["in"], parameter["name"]) for parameter in operation["parameters"]}
    assert names == {("query", "validate_only"), ("header", "Idempotency-Key"), ("header", "If-Match")}
    assert operation["requestBody"]["required"] is True
    assert document["components"]["schemas"]["NoteRequest"]["additionalProperties"] is False
    assert set(operation["responses"]) >= {
        "200",
        "400",
        "401",
        "403",
        "404",
        "409",
        "412",
        "413",
        "415",
        "429",
    }


def test_a_204_has_no_content(document: dict[str, Any]) -> None:
    assert "content" not in document["paths"][f"{PREFIX}/{{id}}"]["delete"]["responses"]["204"]


def test_an_operation_that_declares_nothing_has_no_document(settings: Settings) -> None:
    settings.SURFACE_DOORS = {"platform": "tests.surfaces.kit.world"}
    with pytest.raises(LookupError, match="does not declare"):
        document_of(SURFACE)


def test_a_stale_document_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "apps.surfaces.management.commands.export_openapi.documents", lambda: iter([("platform", b"other")])
    )
    with pytest.raises(CommandError, match=r"platform\.yaml"):
        call_command("export_openapi", "--check")
