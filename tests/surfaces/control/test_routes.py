"""The first routes of the control surface, and bad input at them."""

import itertools
from typing import Any

import pytest
from django.test import Client

from apps.tenants.enums import TenantStatus
from tests.factories import make_tenant
from tests.surfaces.bad_input import MALFORMED, ODD_QUERIES, bad_tokens
from tests.surfaces.control.answers import refused
from tests.surfaces.expectations import versioned
from tests.surfaces.machines import by_scopes

pytestmark = pytest.mark.django_db

TENANTS = "/v1/tenants"


def rows(client: Client, **query: Any) -> Any:
    response = client.get(TENANTS, query)
    assert response.status_code == 200, response.content
    return response.json()


def test_health_is_open_and_bare() -> None:
    body = Client().get("/health").json()
    assert (set(body), body["status"]) == ({"status", "timestamp"}, "ok")
    assert set(Client().get("/v1/platform/health").json()) == {"status", "timestamp"}


@pytest.mark.parametrize("role", ["superadmin", "platform_admin", "platform_operator"])
def test_a_platform_role_sees_components_with_latencies(role: str) -> None:
    body = by_scopes(role).get("/v1/platform/health").json()
    assert body["status"] == "ok"
    assert set(body["components"]) == {"database", "migrations", "redis"}
    assert all(each["status"] == "ok" and each["latencyMs"] >= 0 for each in body["components"].values())


def test_others_and_bad_tokens_see_health_without_components() -> None:
    assert "components" not in by_scopes("tenant_admin").get("/v1/platform/health").json()
    broken = Client(headers={"Authorization": "Bearer x.y.z"}).get("/v1/platform/health")
    assert (broken.status_code, set(broken.json())) == (200, {"status", "timestamp"})


def test_info_says_what_stands_here(admin: Client) -> None:
    body = admin.get("/v1/platform/info").json()
    assert set(body) == {
        "name",
        "version",
        "apiVersions",
        "environment",
        "capabilities",
        "engines",
        "documentation",
    }
    assert body["name"] == "Steward"
    assert body["environment"] == "test"
    assert set(body["engines"]) == {"rows", "documents", "events", "functions", "objects", "identity"}
    assert "postgres" in body["capabilities"]


def test_tenants_come_newest_first_in_the_words_of_control(admin: Client) -> None:
    made = [
        make_tenant("growth", status=status, company_name=f"Acme {status}")
        for status in (TenantStatus.TRIAL, TenantStatus.ACTIVE, TenantStatus.CANCELLED)
    ]
    body = rows(admin)
    assert [row["id"] for row in body["data"]] == [tenant.public_id for tenant in reversed(made)]
    assert [row["status"] for row in body["data"]] == ["deactivated", "active", "active"]
    assert body["pagination"] == {"limit": 20, "nextCursor": None, "hasMore": False}
    assert set(body["data"][0]) == {"id", "slug", "displayName", "plan", "status", "createdAt", "updatedAt"}
    assert body["data"][0]["createdAt"].endswith("Z")


def test_filters_by_status_and_plan(admin: Client) -> None:
    make_tenant("growth", status=TenantStatus.TRIAL, slug="one")
    make_tenant("starter", status=TenantStatus.CANCELLED, slug="two")
    make_tenant("starter", slug="three")
    assert {row["slug"] for row in rows(admin, status="active")["data"]} == {"one", "three"}
    assert {row["slug"] for row in rows(admin, status="deactivated")["data"]} == {"two"}
    assert {row["slug"] for row in rows(admin, plan="starter")["data"]} == {"two", "three"}
    assert rows(admin, plan="no-such-plan")["data"] == []


def test_pages_hold_every_tenant_once_while_others_are_made(admin: Client) -> None:
    made = {make_tenant().public_id for _ in range(7)}
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for _ in itertools.repeat(None, 4):
        body = rows(admin, limit=2, **cursor)
        seen += [row["id"] for row in body["data"]]
        make_tenant()
        if not body["pagination"]["hasMore"]:
            assert body["pagination"]["nextCursor"] is None
            break
        cursor = {"cursor": body["pagination"]["nextCursor"]}
    assert (len(seen), set(seen)) == (7, made)


@pytest.mark.parametrize("limit", ["0", "-1", "101", "x", "1.0", "", " ", "99999999999999999999"])
def test_a_limit_out_of_bounds_is_400(admin: Client, limit: str) -> None:
    assert "limit" in refused(admin.get(TENANTS, {"limit": limit}), 400, "VALIDATION_ERROR")["details"]


def test_a_forged_cursor_is_400_and_so_is_one_of_another_list(admin: Client) -> None:
    for _ in range(3):
        make_tenant()
    good = rows(admin, limit=1)["pagination"]["nextCursor"]
    forged = [
        good[:-2] + "AA",
        good + "A",
        good.upper(),
        "cur_",
        "cur_AAAA",
        "1",
        "%00",
        "x" * 3000,
        "cur_😀",
    ]
    for cursor in forged:
        refused(admin.get(TENANTS, {"cursor": cursor}), 400, "VALIDATION_ERROR")
    refused(admin.get(TENANTS, {"cursor": good, "status": "active"}), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "query", ["status=churned", "status=", "plan=" + "x" * 64, "page=1", "offset=0", "limit=1&limit=1"]
)
def test_a_wrong_or_unknown_parameter_is_400(admin: Client, query: str) -> None:
    refused(admin.get(f"{TENANTS}?{query}"), 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("query", ODD_QUERIES, ids=range(len(ODD_QUERIES)))
def test_an_odd_query_is_400(admin: Client, query: str) -> None:
    refused(admin.get(f"{TENANTS}?{query}"), 400, "VALIDATION_ERROR")


def test_one_tenant_by_id_or_slug_with_its_version(admin: Client) -> None:
    tenant = make_tenant("growth")
    for name in (tenant.public_id, tenant.slug):
        response = admin.get(f"{TENANTS}/{name}")
        assert response.json()["id"] == tenant.public_id
        assert response["ETag"] == '"v1"'


@pytest.mark.parametrize("name", ["tnt_00000000000000000000000000", "nobody", "tnt_", "😀", "x" * 300])
def test_a_tenant_that_is_not_there_is_404(admin: Client, name: str) -> None:
    refused(admin.get(f"{TENANTS}/{name}"), 404, "TENANT_NOT_FOUND")


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/", "/v1/nothing", "/v1/tenants/", "/health/", "/v1/%00", "/v1/%ff"]
)
def test_a_path_that_is_not_there_is_404(admin: Client, path: str) -> None:
    refused(admin.get(path), 404, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_a_method_that_is_not_there_is_405(admin: Client, method: str) -> None:
    for path in ("/health", "/v1/platform/health", "/v1/platform/info"):
        response = admin.generic(method, path)
        refused(response, 405, "METHOD_NOT_ALLOWED")
        assert response["Allow"] == "GET, HEAD"


def test_a_token_that_does_not_count_is_401() -> None:
    for name, text in bad_tokens().items():
        client = versioned(Client(headers={"Authorization": f"Bearer {text}"}, raise_request_exception=False))
        response = client.get(TENANTS)
        assert response.status_code == 401, name
        refused(response, 401, "UNAUTHENTICATED")
        assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.usefixtures("notes")
@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_body_is_400(admin: Client, name: str) -> None:
    response = admin.generic("POST", "/v1/notes", MALFORMED[name], content_type="application/json")
    refused(response, 400, "VALIDATION_ERROR")


@pytest.mark.usefixtures("notes")
def test_a_body_above_256_kib_is_413(admin: Client) -> None:
    for size, status in ((262_144, 400), (262_145, 413), (2_097_152, 413)):
        body = b'{"text": "' + b"x" * (size - 12) + b'"}'
        assert len(body) == size
        response = admin.generic("POST", "/v1/notes", body, content_type="application/json")
        refused(response, status, "VALIDATION_ERROR" if status == 400 else "PAYLOAD_TOO_LARGE")
