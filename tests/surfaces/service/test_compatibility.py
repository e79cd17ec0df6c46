"""apps.surfaces.compatibility: the former addresses, stage by stage (contracts/service.md, "Compatibility")."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from django.test import Client
from prometheus_client import REGISTRY

from apps.core.observability.metrics import Bounded
from apps.surfaces.compatibility import successor_of
from tests.surfaces.machines import by_scopes

pytestmark = pytest.mark.django_db

MARKS = ("Deprecation", "Sunset", "Link")


@pytest.fixture
def admin() -> Client:
    return by_scopes("SUPER_ADMIN")


@pytest.mark.parametrize(
    ("path", "successor"),
    [
        ("/api/platform/platform-config", "/api/v1/admin/platform-config"),
        ("/api/platform/platform-config/a.b/history", "/api/v1/admin/platform-config/a.b/history"),
        ("/api/platform/flags", "/api/v1/admin/flags"),
        ("/api/platform/flags/x/tenant-overrides/tnt_1", "/api/v1/admin/flags/x/tenant-overrides/tnt_1"),
        ("/api/platform/health/aggregate", "/api/v1/admin/health/aggregate"),
        ("/api/platform/vault/status", None),
        ("/api/platform/secrets", None),
        ("/api/platform/flagship", None),
        ("/api/platform/flags\n/vault", None),
        ("/api/platform", None),
        ("/api/v1/platform/flags", None),
        ("/x/api/platform/flags", None),
    ],
)
def test_three_former_prefixes_have_a_successor_and_nothing_else(path: str, successor: str | None) -> None:
    assert successor_of(path) == successor


@pytest.mark.parametrize("stage", ["M0", "M1"])
def test_early_stages_serve_the_former_address_as_the_present_one(
    admin: Client, settings: Any, stage: str
) -> None:
    settings.COMPATIBILITY_STAGE = stage
    present, former = admin.get("/api/v1/admin/platform-config"), admin.get("/api/platform/platform-config")
    assert (
        (former.status_code, former.json()) == (present.status_code, present.json()) == (200, present.json())
    )
    assert not any(mark in former for mark in MARKS)
    sent = {"key": "global.session_idle_minutes", "value": "45", "scope": "PLATFORM"}
    made = admin.post("/api/platform/platform-config", sent, content_type="application/json")
    assert made.status_code == 200
    assert [row["value"] for row in admin.get("/api/v1/admin/platform-config").json()["data"]] == ["45"]


def test_a_former_address_is_refused_as_the_present_one(admin: Client) -> None:
    for method, path in (("GET", "platform-config?pageSize=101"), ("GET", "flags/nothing"), ("PUT", "flags")):
        former, present = (
            admin.generic(method, f"{prefix}/{path}") for prefix in ("/api/platform", "/api/v1/admin")
        )
        assert former.status_code == present.status_code >= 400
        assert former.json()["error"]["code"] == present.json()["error"]["code"]
    assert Client().get("/api/platform/flags").status_code == 401


def test_the_second_stage_says_what_comes_and_counts_who_calls(admin: Client, settings: Any) -> None:
    settings.COMPATIBILITY_STAGE = "M2"
    name, labels = "steward_legacy_requests_total", {"caller": "http://127.0.0.1:8000|svc-tests"}
    before = sum(
        sample.value for metric in REGISTRY.collect() for sample in metric.samples if sample.name == name
    )
    response = admin.get("/api/platform/platform-config")
    assert response.status_code == 200
    assert response["Link"] == '</api/v1/admin/platform-config>; rel="successor-version"'
    began = datetime.fromtimestamp(int(response["Deprecation"].removeprefix("@")), UTC)
    assert began.date().isoformat() == settings.COMPATIBILITY_DEPRECATED
    assert parsedate_to_datetime(response["Sunset"]).date().isoformat() == settings.COMPATIBILITY_SUNSET
    assert not any(mark in admin.get("/api/v1/admin/platform-config") for mark in MARKS)
    after = [sample for metric in REGISTRY.collect() for sample in metric.samples if sample.name == name]
    assert sum(sample.value for sample in after) == before + 1
    assert any(sample.labels["caller"].endswith("svc-tests") for sample in after), labels


def test_the_last_stage_says_that_it_is_gone_and_changes_nothing(admin: Client, settings: Any) -> None:
    settings.COMPATIBILITY_STAGE = "M3"
    sent = {"key": "global.session_idle_minutes", "value": "45", "scope": "PLATFORM"}
    for response in (
        admin.get("/api/platform/platform-config"),
        admin.post("/api/platform/platform-config", sent, content_type="application/json"),
        Client().get("/api/platform/platform-config"),
    ):
        assert response.status_code == 410
        error = response.json()["error"]
        assert error["code"] == "ADM_GONE"
        assert "/api/v1/admin/platform-config" in error["message"]
        assert error["requestId"] == response["X-Request-Id"]
    assert admin.get("/api/v1/admin/platform-config").json()["total"] == 0
    assert admin.get("/api/platform/vault/status").status_code == 404


def test_callers_without_end_count_as_others() -> None:
    names = Bounded(most=2)
    assert [names.name(each) for each in ("a", "b", "c", "a")] == ["a", "b", "other", "a"]
