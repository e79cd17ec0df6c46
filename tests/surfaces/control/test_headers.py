"""The headers of the control surface."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from apps.audit.models import AuditEntry
from apps.core.clock import now
from tests.factories import make_tenant
from tests.surfaces.control import world
from tests.surfaces.control.answers import refused
from tests.surfaces.expectations import versioned
from tests.surfaces.machines import by_scopes

pytestmark = pytest.mark.django_db


def noted(client: Client, text: str = "hello", **headers: str) -> Any:
    return client.post("/v1/notes", {"text": text}, content_type="application/json", headers=headers)


def test_a_request_without_a_version_is_400(admin: Client) -> None:
    del admin.defaults["HTTP_X_API_VERSION"]
    for path in ("/v1/tenants", "/v1/platform/info", "/v1/tenants/acme"):
        error = refused(admin.get(path), 400, "API_VERSION_REQUIRED")
        assert "X-API-Version" in error["details"]


@pytest.mark.parametrize(
    "version",
    ["1", "v1", "2026-1-1", "2026-13-01", "2026-02-30", "20260101", "9999-12-31", "2026-01-01T00:00:00Z"],
)
def test_a_malformed_or_future_version_is_400(admin: Client, version: str) -> None:
    refused(admin.get("/v1/tenants", headers={"X-API-Version": version}), 400, "API_VERSION_INVALID")


def test_the_version_of_today_counts_and_the_one_of_tomorrow_does_not(admin: Client) -> None:
    today, tomorrow = now().date(), (now() + timedelta(days=1)).date()
    assert admin.get("/v1/tenants", headers={"X-API-Version": today.isoformat()}).status_code == 200
    refused(
        admin.get("/v1/tenants", headers={"X-API-Version": tomorrow.isoformat()}), 400, "API_VERSION_INVALID"
    )


def test_health_needs_no_version() -> None:
    for path in ("/health", "/v1/platform/health"):
        assert Client().get(path).status_code == 200


@pytest.mark.parametrize("sent", ["short", "x" * 129, "with space", "semi;colon", "ümlaut-ümlaut"])
def test_a_malformed_correlation_id_is_400_and_another_comes_back(admin: Client, sent: str) -> None:
    error = refused(admin.get("/v1/tenants", headers={"X-Correlation-Id": sent}), 400, "VALIDATION_ERROR")
    assert error["correlationId"] != sent
    assert "X-Correlation-Id" in error["details"]


def test_a_correlation_id_comes_back_and_is_made_where_it_is_missing(admin: Client) -> None:
    assert (
        admin.get("/v1/tenants", headers={"X-Correlation-Id": "abc.DEF:1-2_3"})["X-Correlation-Id"]
        == "abc.DEF:1-2_3"
    )
    assert admin.get("/v1/tenants")["X-Correlation-Id"].startswith("cor_")
    refused(admin.get("/v1/nothing", headers={"X-Correlation-Id": "corr-12345"}), 404, "RESOURCE_NOT_FOUND")


@pytest.mark.usefixtures("notes")
def test_what_a_caller_says_of_themselves_is_stripped(admin: Client) -> None:
    make_tenant()
    said = {
        "X-Auth-Subject": "root",
        "X-Auth-Roles": "superadmin",
        "X-Tenant-Id": "tnt_1",
        "X-Workspace-Id": "wks_1",
        "X-Actor-Id": "usr_1",
    }
    assert noted(admin, **said).json()["seen"] == []
    refused(noted(versioned(by_scopes("tenant_admin")), **said), 403, "SCOPE_INSUFFICIENT")


@pytest.mark.usefixtures("notes")
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "application/json-patch+json", ""]
)
@pytest.mark.parametrize("body", [b'{"text": "a"}', b""])
def test_a_mutation_of_another_content_type_is_415(admin: Client, kind: str, body: bytes) -> None:
    refused(admin.generic("POST", "/v1/notes", body, content_type=kind), 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.usefixtures("notes")
def test_a_mutation_that_takes_no_body_needs_no_content_type(admin: Client) -> None:
    make_tenant()
    assert admin.generic("DELETE", "/v1/notes", content_type="").status_code == 200
    refused(
        admin.generic("DELETE", "/v1/notes", b"x", content_type="text/plain"), 415, "UNSUPPORTED_MEDIA_TYPE"
    )


@pytest.mark.usefixtures("notes")
def test_the_same_key_replays_status_headers_and_body(admin: Client) -> None:
    make_tenant()
    first, second = noted(admin, **{"Idempotency-Key": "k-1"}), noted(admin, **{"Idempotency-Key": "k-1"})
    assert (first.status_code, second.status_code, second.content) == (201, 201, first.content)
    assert second["X-Idempotency-Replayed"] == "true"
    refused(noted(admin, "other", **{"Idempotency-Key": "k-1"}), 409, "IDEMPOTENCY_KEY_REUSED")
    assert AuditEntry.objects.filter(action="note.create").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("notes")
def test_a_key_that_is_in_flight_is_409_with_retry_after() -> None:
    make_tenant()
    client = versioned(by_scopes("superadmin"))
    world.gate.clear()
    world.entered.clear()

    def hold() -> None:
        noted(client, "held", **{"Idempotency-Key": "k-1"})
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert world.entered.wait(10)
    response = noted(client, "held", **{"Idempotency-Key": "k-1"})
    world.gate.set()
    holder.join()
    refused(response, 409, "IDEMPOTENCY_IN_PROGRESS")
    assert response["Retry-After"] == "1"


@pytest.mark.usefixtures("notes")
def test_strict_headers_make_key_and_correlation_id_required(admin: Client, settings: Settings) -> None:
    make_tenant()
    settings.CONTROL_STRICT_HEADERS = True
    error = refused(noted(admin), 400, "VALIDATION_ERROR")
    assert set(error["details"]) == {"Idempotency-Key", "X-Correlation-Id"}
    assert set(refused(admin.get("/v1/tenants"), 400, "VALIDATION_ERROR")["details"]) == {"X-Correlation-Id"}
    assert noted(admin, **{"Idempotency-Key": "k-1", "X-Correlation-Id": "corr-12345"}).status_code == 201
    assert Client().get("/v1/platform/health").status_code == 200


@pytest.mark.usefixtures("notes")
@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        ("transition", 422, "INVALID_TRANSITION"),
        ("trial", 422, "INVALID_TRANSITION"),
        ("plan", 422, "PLAN_NOT_FOUND"),
        ("slug", 409, "SLUG_TAKEN"),
        ("conflict", 409, "CONFLICT"),
        ("invalid", 400, "VALIDATION_ERROR"),
        ("thing", 404, "ROW_NOT_FOUND"),
    ],
)
def test_refusals_of_the_domain_have_the_status_of_the_contract(
    admin: Client, text: str, status: int, code: str
) -> None:
    refused(noted(admin, text), status, code)


def test_above_limit_and_burst_is_429_with_all_headers(admin: Client, settings: Settings) -> None:
    settings.SURFACE_RATE_LIMITS = {**settings.SURFACE_RATE_LIMITS, "control": 5}
    settings.SURFACE_RATE_BURSTS = {**settings.SURFACE_RATE_BURSTS, "control": 3}
    statuses = [admin.get("/v1/platform/info").status_code for _ in range(8)]
    before = time.time()
    response = admin.get("/v1/platform/info")
    if 429 not in statuses:  # else a window ended in between
        refused(response, 429, "RATE_LIMITED")
        assert int(response["Retry-After"]) >= 1
        assert (response["X-RateLimit-Limit"], response["X-RateLimit-Remaining"]) == ("5", "0")
        assert before < int(response["X-RateLimit-Reset"]) <= time.time() + 125


def test_an_answer_says_what_is_left_and_when_the_window_ends(admin: Client) -> None:
    before = time.time()
    response = admin.get("/v1/platform/info")
    assert (response["X-RateLimit-Limit"], response["X-RateLimit-Remaining"]) == ("240", "239")
    assert before < int(response["X-RateLimit-Reset"]) <= time.time() + 61
