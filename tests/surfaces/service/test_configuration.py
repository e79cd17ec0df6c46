"""Platform configuration: contracts/service.md, section 1."""

from typing import Any

import pytest
from django.test import Client

from apps.audit.models import AuditEntry
from apps.configuration.models import ConfigValue
from apps.configuration.services import KeyDeclaration, declare_key
from tests.factories import actor, make_staff, make_tenant
from tests.surfaces.callers import by_token
from tests.surfaces.service.answers import CONFIG, refused, sent

pytestmark = pytest.mark.django_db

IDLE = "tenant.session_idle_minutes"


def test_a_value_is_set_and_answered_with_its_version(admin: Client) -> None:
    response = sent(admin, description="for a while")
    assert response.status_code == 200, response.content
    body = response.json()
    assert {name: body[name] for name in ("key", "value", "scope", "tenantId", "description")} == {
        "key": "global.session_idle_minutes",
        "value": "45",
        "scope": "PLATFORM",
        "tenantId": None,
        "description": "for a while",
    }
    assert body["id"].startswith("cfg_")
    assert (body["isArchived"], body["version"], response["ETag"]) == (False, 1, '"v1"')
    assert sent(admin, value="050").json()["value"] == "50"
    assert sent(admin, value="60").json()["version"] == 3
    assert ConfigValue.objects.count() == 1


def test_a_value_of_a_tenant_needs_the_tenant_and_one_of_the_platform_has_none(admin: Client) -> None:
    tenant = make_tenant()
    assert (
        "tenantId"
        in refused(sent(admin, key=IDLE, scope="TENANT"), 400, "ADM_CONFIG_VALUE_INVALID")["details"]
    )
    refused(sent(admin, key=IDLE, tenantId=tenant.public_id), 400, "ADM_CONFIG_VALUE_INVALID")
    refused(sent(admin, scope="TENANT", tenantId=tenant.public_id), 400, "ADM_CONFIG_VALUE_INVALID")
    response = sent(admin, key=IDLE, scope="TENANT", tenantId=tenant.public_id)
    assert response.json()["tenantId"] == tenant.public_id


def test_a_tenants_id_is_read_in_its_older_spellings(admin: Client) -> None:
    tenant = make_tenant()
    older = tenant.public_id.replace("tnt_", "ten_")
    assert sent(admin, key=IDLE, scope="TENANT", tenantId=older).json()["tenantId"] == tenant.public_id


def test_a_tenant_that_is_not_there_is_404(admin: Client) -> None:
    response = sent(admin, key=IDLE, scope="TENANT", tenantId="tnt_01JD8Z3K5Q6R7S8T9V0W1X2Y3Z")
    refused(response, 404, "ADM_TENANT_NOT_FOUND")


@pytest.mark.parametrize("value", ["4", "1441", "30.0", "", " ", "x", "1e2", "٣٠", "9" * 5000])
def test_a_value_that_does_not_fit_is_refused_by_name(admin: Client, value: str) -> None:
    error = refused(sent(admin, value=value), 400, "ADM_CONFIG_VALUE_INVALID")
    assert set(error["details"]) == {"value"}


@pytest.mark.parametrize("key", ["no.such.key", "NO", "a..b", "'; DROP TABLE x", "ключ"])
def test_a_key_that_nobody_declared_is_refused(admin: Client, key: str) -> None:
    refused(sent(admin, key=key), 400, "ADM_CONFIG_KEY_UNKNOWN")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("value", 45),
        ("value", None),
        ("value", ["45"]),
        ("value", True),
        ("key", 1),
        ("key", "a" * 121),
        ("key", {}),
        ("scope", "platform"),
        ("scope", "GLOBAL"),
        ("scope", None),
        ("tenantId", "acme"),
        ("tenantId", 7),
        ("tenantId", "tnt_" + "!" * 26),
        ("tenantId", "usr_01JD8Z3K5Q6R7S8T9V0W1X2Y3Z"),
        ("tenantId", "x" * 5000),
        ("description", "x" * 501),
        ("description", 1),
    ],
)
def test_a_field_of_another_type_is_named(admin: Client, field: str, value: Any) -> None:
    error = refused(sent(admin, **{field: value}), 400, "ADM_VALIDATION_FAILED")
    assert set(error["details"]) == {field}


def test_if_match_names_the_version_that_was_read(admin: Client) -> None:
    def with_version(version: str, value: str) -> Any:
        return admin.post(
            CONFIG,
            {"key": "global.session_idle_minutes", "value": value, "scope": "PLATFORM"},
            content_type="application/json",
            headers={"If-Match": version},
        )

    assert with_version("0", "40").status_code == 200
    refused(with_version("0", "41"), 412, "ADM_VERSION_CONFLICT")
    assert with_version('"v1"', "42").json()["version"] == 2
    response = with_version("1", "43")
    error = refused(response, 412, "ADM_VERSION_CONFLICT")
    assert (error["details"], response["ETag"]) == ({"current": 2}, '"v2"')
    refused(with_version("one", "44"), 400, "ADM_VALIDATION_FAILED")


def test_the_list_has_pages_by_number(admin: Client) -> None:
    tenants = [make_tenant() for _ in range(5)]
    for tenant in tenants:
        sent(admin, key=IDLE, scope="TENANT", tenantId=tenant.public_id)
    sent(admin)
    first = admin.get(f"{CONFIG}?pageSize=4").json()
    assert {name: first[name] for name in ("page", "pageSize", "total")} == {
        "page": 1,
        "pageSize": 4,
        "total": 6,
    }
    second = admin.get(f"{CONFIG}?pageSize=4&page=2").json()
    seen = [row["id"] for row in first["data"] + second["data"]]
    assert len(seen) == len(set(seen)) == 6
    assert admin.get(f"{CONFIG}?page=9").json()["data"] == []
    assert admin.get(CONFIG).json()["pageSize"] == 20


def test_the_list_is_filtered(admin: Client) -> None:
    tenant = make_tenant()
    sent(admin, key=IDLE, scope="TENANT", tenantId=tenant.public_id)
    sent(admin)
    gone = sent(admin, key="logs.retention_days", value="9").json()
    admin.delete(f"{CONFIG}/{gone['id']}")

    def keys(query: str) -> list[str]:
        return [row["key"] for row in admin.get(f"{CONFIG}?{query}").json()["data"]]

    assert keys("") == ["global.session_idle_minutes", IDLE]
    assert keys("scope=TENANT") == keys(f"tenantId={tenant.public_id}") == [IDLE]
    assert keys("key=glo") == ["global.session_idle_minutes"]
    assert keys("key=%25") == keys("key=_") == []
    assert keys("includeArchived=true&key=logs") == ["logs.retention_days"]


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=1.5",
        "page=99999999999999999999",
        "pageSize=0",
        "pageSize=-1",
        "pageSize=101",
        "pageSize=ten",
        "page=1&page=2",
        "scope=platform",
        "tenantId=acme",
        "includeArchived=yes",
        "limit=5",
        "cursor=x",
        "ordering=key",
    ],
)
def test_a_wrong_parameter_of_the_list_is_refused(admin: Client, query: str) -> None:
    refused(admin.get(f"{CONFIG}?{query}"), 400, "ADM_VALIDATION_FAILED")


def test_archiving_falls_back_to_the_default(admin: Client, inside: Client) -> None:
    row = sent(admin).json()
    response = admin.delete(f"{CONFIG}/{row['id']}")
    assert (response.status_code, response.content) == (204, b"")
    refused(admin.delete(f"{CONFIG}/{row['id']}"), 404, "ADM_CONFIG_NOT_FOUND")
    for unknown in ("cfg_01JD8Z3K5Q6R7S8T9V0W1X2Y3Z", "tnt_01JD8Z3K5Q6R7S8T9V0W1X2Y3Z", "1", "x" * 300):
        refused(admin.delete(f"{CONFIG}/{unknown}"), 404, "ADM_CONFIG_NOT_FOUND")


def test_a_secret_is_masked_wherever_it_is_shown(admin: Client) -> None:
    declaration = KeyDeclaration(type="string", description="A secret.", secret=True)
    declare_key(actor=actor(), name="mail.relay_password", declaration=declaration)
    for value in ("hunter2-first", "hunter2-second"):
        assert sent(admin, key="mail.relay_password", value=value).json()["value"] == "***"
    whole = (
        admin.get(f"{CONFIG}?key=mail").content + admin.get(f"{CONFIG}/mail.relay_password/history").content
    )
    assert b"hunter2" not in whole
    assert whole.count(b"***") == 4


def test_whoever_changes_stands_in_the_history_and_in_the_trail(admin: Client) -> None:
    staff = make_staff("super_admin")
    sent(by_token(staff), value="50")
    sent(admin, value="55")
    rows = admin.get(f"{CONFIG}/global.session_idle_minutes/history").json()["data"]
    assert [(row["oldValue"], row["newValue"]) for row in rows] == [("50", "55"), (None, "50")]
    assert rows[1]["changedBy"] == staff.public_id
    entry = AuditEntry.objects.get(action="configuration.set", actor_id=staff.public_id)
    assert (entry.outcome, entry.via, entry.actor_kind) == ("success", "service", "staff")


def test_a_former_value_comes_back_by_sending_it_again(admin: Client) -> None:
    for value in ("40", "50", "40"):
        sent(admin, value=value)
    rows = admin.get(f"{CONFIG}/global.session_idle_minutes/history").json()["data"]
    assert [row["newValue"] for row in rows] == ["40", "50", "40"]


def test_the_same_key_of_idempotency_gets_the_same_answer(admin: Client) -> None:
    def once(value: str) -> Any:
        return admin.post(
            CONFIG,
            {"key": "global.session_idle_minutes", "value": value, "scope": "PLATFORM"},
            content_type="application/json",
            headers={"Idempotency-Key": "one"},
        )

    first, again = once("40"), once("40")
    assert again.content == first.content
    assert again["X-Idempotency-Replayed"] == "true"
    refused(once("41"), 409, "ADM_CONFLICT")
    assert ConfigValue.objects.get().version == 1


def test_what_is_only_tried_out_does_not_stay(admin: Client) -> None:
    response = admin.post(
        f"{CONFIG}?validate_only=true",
        {"key": "global.session_idle_minutes", "value": "45", "scope": "PLATFORM"},
        content_type="application/json",
    )
    assert response.status_code == 200
    assert not ConfigValue.objects.exists()
