"""What a flag gives, explained and asked for: contracts/service.md, sections 2, 3 and 5."""

from typing import Any

import pytest
from django.test import Client

from apps.flags.models import FlagUsage
from apps.flags.snapshot import holder
from tests.factories import make_flag, make_override, make_segment, make_tenant
from tests.surfaces.machines import by_scopes
from tests.surfaces.service.answers import refused

pytestmark = pytest.mark.django_db

FLAGS = "/api/v1/admin/flags"
NOBODY = "tnt_01JD8Z3K5Q6R7S8T9V0W1X2Y3Z"


def post(client: Client, path: str, body: Any) -> Any:
    return client.post(path, body, content_type="application/json")


def test_explaining_says_what_was_tried(admin: Client) -> None:
    tenant = make_tenant()
    make_segment()
    make_flag(
        rules=[
            {
                "name": "by age",
                "conditions": [{"attribute": "age", "operator": "less_than", "value": 3}],
                "variation": "on",
            },
            {"conditions": [{"attribute": "role", "operator": "equals", "value": "owner"}], "variation": "on"},
        ]
    )  # fmt: skip
    holder.pin_present()
    path = f"{FLAGS}/checkout/explain"
    body = post(admin, path, {"tenantId": tenant.public_id, "context": {"role": "owner"}}).json()
    assert body["decision"] == {
        "key": "checkout",
        "enabled": True,
        "value": True,
        "variation": "on",
        "reason": "rule_match",
    }
    assert [(each["step"], each["outcome"]) for each in body["trace"]] == [
        ("rule 'by age'", "not matched"),
        ("rule", "matched"),
    ]
    assert "age is absent" in body["trace"][0]["detail"]
    refused(post(admin, path, {"tenantId": NOBODY}), 404, "ADM_TENANT_NOT_FOUND")
    refused(post(admin, f"{FLAGS}/gone/explain", {"tenantId": tenant.public_id}), 404, "ADM_FLAG_NOT_FOUND")
    refused(post(admin, path, {"tenantId": tenant.public_id, "context": []}), 400, "ADM_VALIDATION_FAILED")


def test_a_tenants_people_see_live_flags_and_only_their_own_state() -> None:
    tenant, other = make_tenant(), make_tenant()
    flag = make_flag(description="One page")
    make_flag("old", is_archived=True)
    make_override(flag, tenant)
    holder.pin_present()
    mine = by_scopes("TENANT_ADMIN", tenant=tenant).get("/api/v1/platform/flags").json()
    assert mine["data"] == [
        {
            "key": "checkout",
            "enabled": True,
            "value": True,
            "variation": "on",
            "reason": "tenant_override_enabled",
            "description": "One page",
        }
    ]
    anybody = by_scopes(tenant=other)
    found = anybody.get("/api/v1/platform/flags/checkout/evaluate").json()
    assert (found["enabled"], found["reason"]) == (False, "default_disabled")
    refused(anybody.get("/api/v1/platform/flags/gone/evaluate"), 404, "ADM_FLAG_NOT_FOUND")
    refused(anybody.get("/api/v1/platform/flags"), 403, "ADM_FORBIDDEN")
    refused(by_scopes("TENANT_ADMIN").get("/api/v1/platform/flags"), 403, "ADM_FORBIDDEN")


def test_services_inside_ask_with_a_tenant_and_a_context(inside: Client) -> None:
    tenant = make_tenant()
    make_flag(
        rules=[
            {"conditions": [{"attribute": "age", "operator": "greater_than", "value": 17}], "variation": "on"}
        ]
    )
    holder.pin_present()
    path = "/internal/admin/flags/checkout/evaluate"
    for age, reason in (("18", "rule_match"), ("17", "default_disabled"), ("old", "default_disabled")):
        found = inside.get(path, {"tenantId": tenant.public_id, "age": age})
        assert (found.status_code, found.json()["reason"]) == (200, reason)
    older = tenant.public_id.replace("tnt_", "tn_")
    assert inside.get(path, {"tenantId": older, "age": "18"}).json()["enabled"] is True
    refused(inside.get(path), 400, "ADM_VALIDATION_FAILED")
    refused(inside.get(path, {"tenantId": "acme"}), 400, "ADM_VALIDATION_FAILED")
    refused(inside.get(path, {"tenantId": NOBODY}), 404, "ADM_TENANT_NOT_FOUND")
    gone = inside.get("/internal/admin/flags/gone/evaluate", {"tenantId": tenant.public_id})
    refused(gone, 404, "ADM_FLAG_NOT_FOUND")


def test_a_bootstrap_is_unchanged_until_something_changes(inside: Client) -> None:
    tenant = make_tenant()
    flag = make_flag()
    holder.pin_present()
    path = "/internal/admin/flags/bootstrap"
    first = inside.get(path, {"tenantId": tenant.public_id})
    assert first.json()["tenantId"] == tenant.public_id
    assert [each["enabled"] for each in first.json()["flags"]] == [False]
    again = inside.get(path, {"tenantId": tenant.public_id}, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    make_override(flag, tenant)
    holder.pin_present()
    changed = inside.get(path, {"tenantId": tenant.public_id}, headers={"If-None-Match": first["ETag"]})
    assert (changed.status_code, changed["ETag"] != first["ETag"]) == (200, True)
    refused(inside.get(path), 400, "ADM_VALIDATION_FAILED")
    refused(inside.get(path, {"tenantId": NOBODY}), 404, "ADM_TENANT_NOT_FOUND")


def test_usage_of_services_is_counted(inside: Client) -> None:
    make_flag()
    sent = [{"key": "checkout", "count": 5}, {"key": "checkout", "count": 2}, {"key": "gone", "count": 1}]
    body = post(inside, "/internal/admin/flags/usage", {"evaluations": sent}).json()
    assert body == {"recorded": 7, "unknown": ["gone"]}
    assert FlagUsage.objects.get().count == 7
    for count in (0, -1, "5", 1.5):
        sent = [{"key": "checkout", "count": count}]
        refused(
            post(inside, "/internal/admin/flags/usage", {"evaluations": sent}), 400, "ADM_VALIDATION_FAILED"
        )
