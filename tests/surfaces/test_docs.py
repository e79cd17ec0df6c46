"""The pages at /docs/ and the shell of /admin/docs: what they serve, to whom, under which policy."""

from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from apps.surfaces.kit.documents import routes_of
from apps.surfaces.kit.surface import surfaces

pytestmark = pytest.mark.django_db

PUBLIC = [surface.name for surface in surfaces() if surface.public]


def test_the_index_names_the_public_surfaces_and_no_other(client: Client) -> None:
    page = client.get("/docs/").content.decode()
    assert set(PUBLIC) == {"platform", "service", "ofrep", "console", "control"}
    assert all(f"/docs/{name}/" in page for name in PUBLIC)
    assert "automation" not in page
    assert "/admin" not in page


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_document_is_served_as_the_committed_file(client: Client, name: str) -> None:
    response = client.get(f"/docs/{name}.yaml")
    assert response["Content-Type"] == "application/yaml"
    committed = (Path(settings.BASE_DIR) / "openapi" / f"{name}.yaml").read_bytes()
    assert b"".join(response) == committed
    for path in (f"/docs/{name}/", f"/docs/{name}/redoc/"):
        page = client.get(path)
        assert page.status_code == 200
        assert f'data-url="/docs/{name}.yaml"' in page.content.decode()
        policy = page["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy


@pytest.mark.parametrize(
    "path",
    [
        "/docs/automation/",
        "/docs/automation.yaml",
        "/docs/automation/redoc/",
        "/docs/nothing/",
        "/docs/nothing.yaml",
        "/docs/../openapi/platform.yaml",
        "/docs/%2e%2e%2fREADME.yaml",
    ],
)
def test_what_is_not_public_is_404(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_pages_are_for_reading(client: Client) -> None:
    for path in ("/docs/", "/docs/platform/", "/docs/platform.yaml"):
        assert client.post(path).status_code in {403, 405}


def test_the_shell_of_the_reference_is_open_empty_and_without_inline_scripts() -> None:
    response = Client().get("/admin/docs")
    page = b"".join(response).decode()
    assert "<title>Admin API Reference</title>" in page
    assert not any(route.path in page for route in routes_of("automation") if route.path != "/admin")
    assert "<script>" not in page
    assert "style=" not in page
    policy = response["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert (response["Cache-Control"], response["X-Frame-Options"]) == ("no-store", "DENY")


def test_the_data_of_the_reference_name_every_route_with_codes_and_examples() -> None:
    key = str(settings.ADMIN_KEYS[0]).partition(":")[2]
    data = Client(headers={"X-Admin-Key": key}).get("/admin/docs/data").json()
    shown = {
        (route["method"], route["path"]): route for section in data["sections"] for route in section["routes"]
    }
    assert set(shown) == {(route.method, route.path) for route in routes_of("automation")}
    for route in shown.values():
        codes = [response["status"] for response in route["responses"]]
        assert codes[0] == 200
        assert {400, 429, 500, 503} <= set(codes)
        assert 401 not in codes
        assert all(response["example"] for response in route["responses"] if response["status"] >= 400)
    assert shown["POST", "/admin/platform-config"]["body"] == {"governance_scan_mode": "parallel"}
    fields = {field["name"]: field for field in shown["GET", "/admin/tenants"]["fields"]}
    assert fields["limit"]["type"] == "integer, 1 to 100"
    assert fields["status"]["choices"] == ["provisioning", "trial", "active", "suspended", "cancelled"]
