"""The automation surface as a whole: bad input, refusals in its own shape, platform settings."""

from typing import Any

import pytest
from django.test import Client

from apps.audit.models import AuditEntry
from apps.configuration.models import ConfigValue
from tests.surfaces.automation.answers import refused
from tests.surfaces.bad_input import MALFORMED, ODD_QUERIES, TOO_LARGE
from tests.surfaces.machines import by_scopes
from tests.surfaces.service.answers import CONFIG

pytestmark = pytest.mark.django_db

SETTINGS = "/admin/platform-config"
TENANTS = "/admin/tenants"


def post(client: Client, body: dict[str, Any]) -> Any:
    return client.post(SETTINGS, body, content_type="application/json")


def test_settings_have_defaults_and_are_set_one_by_one_or_both(holder: Client) -> None:
    assert holder.get(SETTINGS).json() == {
        "governance_scan_mode": "serial",
        "governance_parallel_limit": 3,
    }
    assert post(holder, {"governance_parallel_limit": 20}).json() == {
        "governance_scan_mode": "serial",
        "governance_parallel_limit": 20,
    }
    both = {"governance_scan_mode": "parallel", "governance_parallel_limit": 1}
    assert post(holder, both).json() == both
    assert holder.get(SETTINGS).json() == both
    assert AuditEntry.objects.filter(action="configuration.set").count() == 2


def test_they_are_keys_of_the_catalogue_that_the_service_surface_edits(holder: Client) -> None:
    post(holder, {"governance_scan_mode": "parallel"})
    rows = by_scopes("SUPER_ADMIN").get(f"{CONFIG}?key=governance").json()["data"]
    assert [(row["key"], row["value"]) for row in rows] == [("governance_scan_mode", "parallel")]
    by_scopes("SUPER_ADMIN").delete(f"{CONFIG}/{rows[0]['id']}")
    assert holder.get(SETTINGS).json()["governance_scan_mode"] == "serial"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"governance_scan_mode": "both"}, "governance_scan_mode"),
        ({"governance_scan_mode": None}, "governance_scan_mode"),
        ({"governance_scan_mode": ["serial"]}, "governance_scan_mode"),
        ({"governance_parallel_limit": 0}, "governance_parallel_limit"),
        ({"governance_parallel_limit": 21}, "governance_parallel_limit"),
        ({"governance_parallel_limit": "3"}, "governance_parallel_limit"),
        ({"governance_parallel_limit": 3.0}, "governance_parallel_limit"),
        ({"governance_parallel_limit": True}, "governance_parallel_limit"),
        ({"governance_parallel_limit": 10**40}, "body"),
        ({"governance_parallel_limit": 3, "more": 1}, "more"),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_is_set(holder: Client, body: Any, field: str) -> None:
    assert set(refused(post(holder, body), 400, "invalid")["errors"]) == {field}
    assert not ConfigValue.objects.exists()


def test_one_wrong_setting_of_two_leaves_both(holder: Client) -> None:
    refused(
        post(holder, {"governance_scan_mode": "parallel", "governance_parallel_limit": 99}), 400, "invalid"
    )
    assert holder.get(SETTINGS).json()["governance_scan_mode"] == "serial"


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_body_is_400(holder: Client, name: str) -> None:
    refused(holder.post(SETTINGS, MALFORMED[name], content_type="application/json"), 400, "invalid")


def test_a_body_of_two_megabytes_is_413(holder: Client) -> None:
    refused(holder.post(SETTINGS, TOO_LARGE, content_type="application/json"), 413, "payload_too_large")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "json"])
def test_a_body_that_says_it_is_no_json_is_415(holder: Client, kind: str) -> None:
    response = holder.generic("POST", SETTINGS, b'{"governance_parallel_limit": 3}', content_type=kind)
    refused(response, 415, "unsupported_media_type")


@pytest.mark.parametrize("query", ODD_QUERIES)
@pytest.mark.parametrize("path", [TENANTS, "/admin/docs", "/admin/docs/data", SETTINGS])
def test_an_odd_query_is_400(holder: Client, path: str, query: str) -> None:
    refused(holder.generic("GET", path, QUERY_STRING=query), 400, "invalid")


def test_with_a_key_a_method_and_a_path_that_are_not_there_are_told_apart(holder: Client) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        response = holder.generic(method, TENANTS)
        refused(response, 405, "method_not_allowed")
        assert response["Allow"] == "GET, HEAD"
    for path in ("/admin", "/admin/", f"{TENANTS}/", f"{TENANTS}/a/b", "/admin/%00", "/admin/\n"):
        refused(holder.get(path), 404, "not_found")


def test_a_host_that_is_not_served_is_refused_in_shape(holder: Client) -> None:
    response = holder.get(TENANTS, headers={"Host": "evil.example"})
    assert 400 <= response.status_code < 500
    assert set(response.json()) <= {"detail", "code", "errors"}


def test_the_same_key_of_idempotency_with_another_body_is_a_conflict(holder: Client) -> None:
    def once(limit: int) -> Any:
        return holder.post(
            SETTINGS,
            {"governance_parallel_limit": limit},
            content_type="application/json",
            headers={"Idempotency-Key": "one"},
        )

    assert once(4).content == once(4).content
    refused(once(5), 400, "conflict")
