"""Feature flags: contracts/service.md, sections 2, 3 and 5."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.core.clock import iso, now
from apps.flags.models import Flag, TenantOverride
from tests.factories import make_flag, make_tenant
from tests.surfaces.service.answers import refused

pytestmark = pytest.mark.django_db

FLAGS, SEGMENTS = "/api/v1/admin/flags", "/api/v1/admin/segments"
NOBODY = "tnt_01JD8Z3K5Q6R7S8T9V0W1X2Y3Z"


def post(client: Client, path: str, body: Any, **headers: str) -> Any:
    return client.post(path, body, content_type="application/json", headers=headers)


def patch(client: Client, key: str, body: Any, **headers: str) -> Any:
    return client.patch(f"{FLAGS}/{key}", body, content_type="application/json", headers=headers)


def created(client: Client, **fields: Any) -> Any:
    return post(client, FLAGS, {"key": "checkout", "description": "", "defaultEnabled": False, **fields})


def test_a_flag_is_created_with_everything_that_it_is(admin: Client) -> None:
    response = created(admin, description="One page")
    assert (response.status_code, response["ETag"]) == (201, '"v1"')
    body = response.json()
    assert body.pop("salt")
    assert body.pop("createdAt") <= body.pop("updatedAt")
    assert body == {
        "key": "checkout",
        "description": "One page",
        "defaultEnabled": False,
        "isArchived": False,
        "type": "boolean",
        "variations": [{"key": "on", "value": True}, {"key": "off", "value": False}],
        "offVariation": "off",
        "rules": [],
        "rollout": None,
        "prerequisites": [],
        "hash": "murmur3",
        "tags": [],
        "owner": None,
        "expiresAt": None,
        "overridesCount": 0,
        "version": 1,
    }
    assert admin.get(f"{FLAGS}/checkout").json()["description"] == "One page"


def test_a_key_is_taken_once_and_for_good(admin: Client) -> None:
    created(admin)
    assert admin.delete(f"{FLAGS}/checkout").status_code == 204
    refused(created(admin), 409, "ADM_FLAG_KEY_DUPLICATE")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"key": "Checkout"}, "key"),
        ({"key": "-a"}, "key"),
        ({"key": "a" * 129}, "key"),
        ({"key": 7}, "key"),
        ({"defaultEnabled": "true"}, "defaultEnabled"),
        ({"type": "date"}, "type"),
        ({"type": "number", "variations": [{"key": "a", "value": "1"}]}, "variations.0.value"),
        ({"surprise": 1}, "surprise"),
        ({"rules": [{"conditions": [{"attribute": "a", "operator": "like", "value": 1}], "variation": "on"}]},
         "rules.0.conditions.0.operator"),
        ({"rules": [{"conditions": [{"attribute": "a", "operator": "matches", "value": "(?=a)"}], "variation": "on"}]},
         "rules.0.conditions.0.value"),
        ({"rules": [{"conditions": [{"segment": "gone"}], "variation": "on"}]}, "rules.0.conditions.0.segment"),
        ({"rules": [{"conditions": [{"segment": "gone", "extra": 1}], "variation": "on"}]},
         "rules.0.conditions.0.extra"),
        ({"rules": [{"conditions": [], "variation": "on"}]}, "rules.0.conditions"),
        ({"rollout": {"percentage": 101}}, "rollout.percentage"),
        ({"rollout": {"percentage": "50"}}, "rollout.percentage"),
        ({"prerequisites": [{"key": "gone", "variation": "on"}]}, "prerequisites.0.key"),
        ({"hash": "crc32"}, "hash"),
        ({"offVariation": "on"}, "offVariation"),
        ({"expiresAt": "soon"}, "expiresAt"),
    ],
)  # fmt: skip
def test_a_flag_that_makes_no_sense_is_400_and_names_the_field(
    admin: Client, fields: dict[str, Any], field: str
) -> None:
    error = refused(created(admin, **fields), 400, "ADM_VALIDATION_FAILED")
    assert list(error["details"]) == [field]
    assert not Flag.objects.exists()


def test_weights_that_do_not_add_up_are_refused(admin: Client) -> None:
    split = [{"variation": "on", "weight": 33.333}, {"variation": "off", "weight": 66.666}]
    rules = [{"conditions": [{"attribute": "plan", "operator": "exists"}], "split": split}]
    assert "rules.0.split" in refused(created(admin, rules=rules), 400, "ADM_VALIDATION_FAILED")["details"]
    split[1]["weight"] = 66.667
    assert created(admin, rules=rules).json()["rules"][0]["split"] == split


def test_a_circle_of_prerequisites_names_its_way(admin: Client) -> None:
    make_flag("a", prerequisites=[{"key": "b", "variation": "on"}])
    make_flag("b")
    error = refused(
        patch(admin, "b", {"prerequisites": [{"key": "a", "variation": "on"}]}), 400, "ADM_VALIDATION_FAILED"
    )
    assert "b → a → b" in error["details"]["prerequisites"][0]


def test_what_was_read_must_still_stand(admin: Client) -> None:
    make_flag()
    for written in ('"v7"', "7"):
        error = refused(
            patch(admin, "checkout", {"defaultEnabled": True}, **{"If-Match": written}),
            412,
            "ADM_VERSION_CONFLICT",
        )
        assert error["details"] == {"current": 1}
    response = patch(admin, "checkout", {"defaultEnabled": True}, **{"If-Match": '"v1"'})
    assert (response.status_code, response["ETag"], response.json()["version"]) == (200, '"v2"', 2)


def test_an_archived_flag_takes_neither_changes_nor_overrides(admin: Client) -> None:
    tenant = make_tenant()
    make_flag(is_archived=True)
    refused(patch(admin, "checkout", {"defaultEnabled": True}), 422, "ADM_FLAG_ARCHIVED")
    sent = {"tenantId": tenant.public_id, "enabled": True}
    refused(post(admin, f"{FLAGS}/checkout/tenant-overrides", sent), 422, "ADM_FLAG_ARCHIVED")
    refused(admin.delete(f"{FLAGS}/checkout"), 422, "ADM_FLAG_ARCHIVED")
    assert admin.get(f"{FLAGS}/checkout").json()["isArchived"] is True


def test_a_flag_that_is_not_there_is_404_on_every_route(admin: Client) -> None:
    sent = {"tenantId": make_tenant().public_id, "enabled": True}
    for response in (
        admin.get(f"{FLAGS}/gone"),
        patch(admin, "gone", {"defaultEnabled": True}),
        admin.delete(f"{FLAGS}/gone"),
        admin.get(f"{FLAGS}/gone/history"),
        admin.get(f"{FLAGS}/gone/schedule"),
        admin.get(f"{FLAGS}/gone/tenant-overrides"),
        post(admin, f"{FLAGS}/gone/tenant-overrides", sent),
        post(admin, f"{FLAGS}/gone/history/1/restore", {}),
        admin.get(f"{FLAGS}/{'x' * 2000}"),
    ):
        refused(response, 404, "ADM_FLAG_NOT_FOUND")


def test_the_list_is_filtered_and_cut(admin: Client) -> None:
    for number in range(3):
        make_flag(
            f"flag{number}", tags=["web"] if number else [], description="For Checkout" if number else ""
        )
    make_flag("old", is_archived=True)
    body = admin.get(FLAGS, {"pageSize": "2", "page": "2"}).json()
    assert [flag["key"] for flag in body["data"]] == ["flag2", "old"]
    assert {name: body[name] for name in ("page", "pageSize", "total")} == {
        "page": 2,
        "pageSize": 2,
        "total": 4,
    }
    assert admin.get(FLAGS, {"tag": "web"}).json()["total"] == 2
    assert admin.get(FLAGS, {"search": "checkOUT"}).json()["total"] == 2
    assert admin.get(FLAGS, {"search": "FLAG0"}).json()["total"] == 1
    assert admin.get(FLAGS, {"archived": "true"}).json()["total"] == 1
    assert admin.get(FLAGS, {"search": "100%"}).json()["total"] == 0
    for query in (
        {"page": "0"},
        {"pageSize": "101"},
        {"pageSize": "0"},
        {"archived": "yes"},
        {"strange": "1"},
    ):
        refused(admin.get(FLAGS, query), 400, "ADM_VALIDATION_FAILED")


def test_an_override_is_set_listed_counted_and_removed(admin: Client) -> None:
    tenant = make_tenant()
    make_flag()
    path = f"{FLAGS}/checkout/tenant-overrides"
    until = iso(now() + timedelta(days=1))
    sent = {"tenantId": tenant.public_id, "enabled": True, "reason": "a promise", "expiresAt": until}
    first = post(admin, path, sent)
    assert first.status_code == 200
    assert {name: first.json()[name] for name in ("enabled", "variation", "expiresAt")} == {
        "enabled": True,
        "variation": "on",
        "expiresAt": until,
    }
    assert post(admin, path, {"tenantId": tenant.public_id, "variation": "off"}).json()["enabled"] is False
    assert admin.get(path).json()["total"] == admin.get(f"{FLAGS}/checkout").json()["overridesCount"] == 1
    assert admin.delete(f"{path}/{tenant.public_id}").status_code == 204
    refused(admin.delete(f"{path}/{tenant.public_id}"), 404, "ADM_OVERRIDE_NOT_FOUND")
    refused(admin.delete(f"{path}/nonsense"), 404, "ADM_OVERRIDE_NOT_FOUND")


def test_an_override_is_told_by_what_off_means_now(admin: Client) -> None:
    colours = [{"key": key, "value": key} for key in ("blue", "green", "red")]
    created(admin, type="string", variations=colours)
    path, tenant = f"{FLAGS}/checkout/tenant-overrides", make_tenant()
    sent = {"tenantId": tenant.public_id, "variation": "blue"}
    assert post(admin, path, sent).json()["enabled"] is True
    patch(admin, "checkout", {"offVariation": "blue"})
    (row,) = admin.get(path).json()["data"]
    assert (row["variation"], row["enabled"]) == ("blue", False)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"enabled": True},
        {"tenantId": NOBODY},
        {"tenantId": "acme", "enabled": True},
        {"tenantId": NOBODY, "enabled": "true"},
        {"tenantId": NOBODY, "enabled": True, "expiresAt": "yesterday"},
    ],
)
def test_an_override_that_makes_no_sense_is_400(admin: Client, body: dict[str, Any]) -> None:
    make_flag()
    if set(body) == {"tenantId"}:
        body = {"tenantId": make_tenant().public_id}
    refused(post(admin, f"{FLAGS}/checkout/tenant-overrides", body), 400, "ADM_VALIDATION_FAILED")
    assert not TenantOverride.objects.exists()


def test_an_override_for_a_tenant_that_is_not_there_is_404(admin: Client) -> None:
    make_flag()
    sent = {"tenantId": NOBODY, "enabled": True}
    refused(post(admin, f"{FLAGS}/checkout/tenant-overrides", sent), 404, "ADM_TENANT_NOT_FOUND")


def test_the_history_is_paged_by_cursor_and_a_version_comes_back(admin: Client) -> None:
    created(admin, description="one")
    patch(admin, "checkout", {"description": "two"})
    patch(admin, "checkout", {"description": "three"})
    path = f"{FLAGS}/checkout/history"
    first = admin.get(path, {"limit": "2"}).json()
    assert [row["version"] for row in first["data"]] == [3, 2]
    rest = admin.get(path, {"limit": "2", "cursor": first["nextCursor"]}).json()
    assert [row["version"] for row in rest["data"]] == [1]
    assert rest["nextCursor"] is None
    assert (first["data"][1]["before"]["description"], first["data"][1]["after"]["description"]) == (
        "one",
        "two",
    )

    restored = post(admin, f"{path}/1/restore", {})
    assert (restored.json()["description"], restored.json()["version"]) == ("one", 4)
    for version in ("9", "x", "0", "9" * 40):
        refused(post(admin, f"{path}/{version}/restore", {}), 404, "ADM_FLAG_VERSION_NOT_FOUND")

    make_flag("another")
    for cursor in ("cur_x", "x" * 1999, first["nextCursor"][:-2]):
        refused(admin.get(path, {"cursor": cursor}), 400, "ADM_CURSOR_INVALID")
    foreign = admin.get(f"{FLAGS}/another/history", {"cursor": first["nextCursor"]})
    refused(foreign, 400, "ADM_CURSOR_INVALID")


def test_a_segment_in_use_names_its_flags(admin: Client) -> None:
    conditions = [{"attribute": "country", "operator": "in", "value": ["DE"]}]
    body = {"key": "germans", "description": "", "conditions": conditions}
    assert post(admin, SEGMENTS, body).status_code == 201
    refused(post(admin, SEGMENTS, body), 409, "ADM_SEGMENT_KEY_DUPLICATE")
    created(admin, rules=[{"conditions": [{"segment": "germans"}], "variation": "on"}])
    error = refused(admin.delete(f"{SEGMENTS}/germans"), 409, "ADM_SEGMENT_IN_USE")
    assert error["details"] == {"flags": ["checkout"]}
    changed = admin.patch(f"{SEGMENTS}/germans", {"description": "x"}, content_type="application/json")
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    patch(admin, "checkout", {"rules": []})
    assert admin.delete(f"{SEGMENTS}/germans").status_code == 204
    refused(admin.delete(f"{SEGMENTS}/germans"), 404, "ADM_SEGMENT_NOT_FOUND")


def test_a_change_is_scheduled_listed_and_taken_back(admin: Client) -> None:
    make_flag()
    path = f"{FLAGS}/checkout/schedule"
    at = iso(now() + timedelta(hours=1))
    made = post(admin, path, {"at": at, "change": {"defaultEnabled": True, "expiresAt": at}})
    assert made.status_code == 201, made.content
    assert (made.json()["status"], made.json()["at"]) == ("pending", at)
    assert admin.get(path).json()["total"] == 1
    assert admin.delete(f"{path}/{made.json()['id']}").status_code == 204
    refused(admin.delete(f"{path}/{made.json()['id']}"), 422, "ADM_SCHEDULE_OVER")
    refused(admin.delete(f"{path}/sch_gone"), 404, "ADM_SCHEDULE_NOT_FOUND")
    for body in (
        {"at": iso(now()), "change": {"defaultEnabled": True}},
        {"at": at, "change": {"key": "other"}},
        {"at": at, "change": {"offVariation": "blue"}},
        {"at": at, "change": {}},
    ):
        refused(post(admin, path, body), 400, "ADM_VALIDATION_FAILED")


def test_a_flag_that_needs_a_second_person_is_202(admin: Client) -> None:
    make_flag(needs_approval=True)
    response = patch(admin, "checkout", {"defaultEnabled": True})
    assert response.status_code == 202
    assert response.json()["status"] == "pending_approval"
    assert Flag.objects.get().default_enabled is False
    assert admin.delete(f"{FLAGS}/checkout").status_code == 202
