"""A tenant's feature flags: contracts/platform.md, "Tenants"."""

from typing import Any

import pytest
from django.test import Client

from apps.flags.models import TenantOverride
from apps.flags.snapshot import holder
from tests.factories import make_flag, make_override, make_staff, make_tenant
from tests.surfaces.callers import by_token

pytestmark = pytest.mark.django_db


def path(tenant: Any) -> str:
    return f"/api/v1/platform/admin/tenants/{tenant.public_id}/feature-flags"


def sent(client: Client, tenant: Any, flags: Any, **more: Any) -> Any:
    body = {"flags": flags, "reason": "a promise", **more}
    return client.patch(path(tenant), body, content_type="application/json")


def test_live_flags_are_listed_as_the_tenant_has_them() -> None:
    tenant = make_tenant()
    one, two = make_flag("one"), make_flag("two", default_enabled=True)
    make_flag("old", is_archived=True)
    override = make_override(one, tenant)
    holder.pin_present()
    data = by_token(make_staff("support")).get(path(tenant)).json()["data"]
    assert [(row["flag_name"], row["enabled"], row["reason"]) for row in data["flags"]] == [
        ("one", True, "tenant_override_enabled"),
        ("two", True, "default_enabled"),
    ]
    assert data["pagination"]["total"] == 2
    override.refresh_from_db()
    assert data["flags"][0]["updated_at"][:19] == override.updated_at.isoformat()[:19]
    assert data["flags"][1]["updated_at"][:19] == two.updated_at.isoformat()[:19]


def test_all_flags_are_set_or_none() -> None:
    tenant = make_tenant()
    make_flag("one")
    make_flag("two")
    admin = by_token(make_staff("admin"))
    refused = sent(
        admin, tenant, [{"flag_name": "one", "enabled": True}, {"flag_name": "gone", "enabled": True}]
    )
    assert refused.status_code == 400
    assert "gone" in refused.json()["error"]["details"]["flags"][0]
    assert not TenantOverride.objects.exists()
    done = sent(
        admin, tenant, [{"flag_name": "one", "enabled": True}, {"flag_name": "two", "enabled": False}]
    )
    assert done.status_code == 200
    assert (done.json()["data"]["tenant_id"], done.json()["data"]["flags_updated"]) == (tenant.public_id, 2)
    assert dict(TenantOverride.objects.values_list("flag__key", "enabled")) == {"one": True, "two": False}


@pytest.mark.parametrize(
    "body",
    [
        {"flags": []},
        {"flags": [{"flag_name": "one"}]},
        {"flags": [{"flag_name": "one", "enabled": "yes"}]},
        {"flags": [{"flag_name": "one", "enabled": True}] * 2},
        {"flags": [{"flag_name": "one", "enabled": True}], "reason": ""},
        {"flags": {"one": True}},
    ],
)
def test_a_body_that_makes_no_sense_is_400(body: dict[str, Any]) -> None:
    make_flag("one")
    response = sent(by_token(make_staff("super_admin")), make_tenant(), **body)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "VALIDATION_ERROR"
    assert not TenantOverride.objects.exists()


def test_an_archived_flag_is_a_conflict_and_qa_reaches_test_tenants_only() -> None:
    make_flag("one", is_archived=True)
    make_flag("two")
    live, test = make_tenant(), make_tenant(is_test=True)
    wanted = [{"flag_name": "one", "enabled": True}]
    assert sent(by_token(make_staff("admin")), live, wanted).status_code == 409
    wanted = [{"flag_name": "two", "enabled": True}]
    qa = by_token(make_staff("qa"))
    assert sent(qa, live, wanted).status_code == 404
    assert sent(qa, test, wanted).status_code == 200
    assert sent(by_token(make_staff("support")), live, wanted).status_code == 403


def test_a_flag_that_needs_a_second_person_is_named_and_nothing_is_set() -> None:
    tenant = make_tenant()
    make_flag("plain")
    make_flag("critical", needs_approval=True)
    flags = [{"flag_name": "plain", "enabled": True}, {"flag_name": "critical", "enabled": True}]
    for role in ("admin", "super_admin"):
        refused = sent(by_token(make_staff(role)), tenant, flags)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "CONFLICT")
        assert "critical" in refused.json()["error"]["message"]
    assert not TenantOverride.objects.exists()
