"""Flags in the back office: list, panel, overrides, schedule, history, segments, a tenant's page, home."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.approvals.models import ApprovalRequest
from apps.core import ids
from apps.core.clock import now
from apps.flags import services
from apps.flags.admin import looks, pages
from apps.flags.enums import ScheduleStatus
from apps.flags.models import SEGMENT, Flag, FlagUsage, ScheduledChange, Segment, TenantOverride
from apps.flags.snapshot import holder
from apps.tenants.models import Tenant
from tests.backoffice.visits import visitor
from tests.factories import actor, make_flag, make_override
from tests.flags.desk import REASON, edit, made, pro, say, tenant, url

RULE = {"conditions": [{"attribute": "plan", "operator": "equals", "value": "pro"}], "variation": "on"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return visitor("super_admin")


def test_a_flag_is_made_in_a_dialog(client: Client) -> None:
    sent = {**REASON, "key": "colour", "type": "string", "variations": "blue = #00f\nred = #f00"}
    answer = client.post("/backoffice/flags/create/", sent, headers={"HX-Request": "true"})
    assert answer.status_code == 204, answer.content.decode()
    flag = Flag.objects.get()
    assert answer["HX-Redirect"] == url(flag, "?tab=edit")
    assert (flag.variations[0], flag.off_variation) == ({"key": "blue", "value": "#00f"}, "red")


@pytest.mark.parametrize(
    ("changes", "status", "sentence"),
    [
        ({"key": "Checkout"}, 400, "A key matches"),
        ({"key": "taken"}, 409, "There is a flag"),
        ({"type": "string", "variations": "blue"}, 400, "not written as name = value"),
        ({"type": "number", "variations": "a = 1\nb = many"}, 400, "type: number"),
    ],
)
def test_a_flag_that_can_not_be_is_refused_in_the_dialog(
    client: Client, changes: dict[str, str], status: int, sentence: str
) -> None:
    make_flag("taken")
    sent = {**REASON, "key": "checkout", "type": "boolean", **changes}
    answer = client.post("/backoffice/flags/create/", sent, headers={"HX-Request": "true"})
    assert answer.status_code == status
    assert sentence in answer.content.decode()


def test_an_override_is_set_for_a_tenant_found_by_name_and_removed(client: Client) -> None:
    flag, place = made(), tenant("acme")
    tenant("acme-two")
    refused = say(client, flag, "override", tenant="acm", gives="on")
    assert "Several match" in refused.content.decode()
    assert "No tenant has this" in say(client, flag, "override", tenant="zzz", gives="on").content.decode()
    over = f"{now() - timedelta(days=1):%Y-%m-%dT%H:%M}"
    assert (
        "must lie ahead"
        in say(client, flag, "override", tenant="acme", gives="on", expires=over).content.decode()
    )
    ahead = f"{now() + timedelta(days=1):%Y-%m-%dT%H:%M}"
    assert say(client, flag, "override", tenant="acme", gives="on", expires=ahead).status_code == 204
    row = TenantOverride.objects.get()
    assert (row.tenant_id, row.enabled, row.reason) == (place.id, True, REASON["reason"])
    page = client.get(url(flag, "?tab=overrides")).content.decode()
    assert f"remove-override/?tenant={place.public_id}" in page
    dialog = client.get(url(flag, f"remove-override/?tenant={place.public_id}")).content.decode()
    assert f'value="{place.public_id}"' in dialog
    assert say(client, flag, "remove-override", tenant=place.public_id).status_code == 204
    assert not TenantOverride.objects.exists()


def test_of_many_overrides_one_is_found_by_its_tenant(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag, places = made(), [tenant(slug) for slug in ("acme", "borealis", "cirrus", "acme-two")]

    def shown(query: str = "") -> str:
        return str(client.get(url(flag, f"?tab=overrides{query}")).content.decode())

    for place in places[:2]:
        make_override(flag, place)
    assert "Tenant: id, slug or company" not in shown()
    monkeypatch.setattr(pages, "_PAGE", 1)
    make_override(flag, places[3])
    assert "Tenant: id, slug or company" in shown()
    for term in ("borealis", "BOREALIS", places[1].public_id, "Boreal"):
        page = shown(f"&q={term}")
        assert ">Borealis</a>" in page
        assert ">Acme" not in page
        assert "remove-override/?tenant=" in page
    first = shown("&q=acm")
    assert ">Acme-Two</a>" in first
    assert "?tab=overrides&amp;q=acm&amp;page=2" in first
    assert ">Acme</a>" in shown("&q=acm&page=2")
    assert "No tenant like this has one." in shown("&q=cirrus")
    assert "No tenant like this has one." in shown("&q=%00%27")


def test_a_change_is_scheduled_shown_and_cancelled(client: Client) -> None:
    flag = made()
    ahead = f"{now() + timedelta(days=1):%Y-%m-%dT%H:%M}"
    assert say(client, flag, "schedule", what="rollout", at=ahead, percentage="50").status_code == 204
    row = ScheduledChange.objects.get()
    assert row.change == {"rollout": {"percentage": 50.0}}
    page = client.get(url(flag, "?tab=schedule")).content.decode()
    assert "rollout: 50 % by tenantId" in page
    assert say(client, flag, "cancel-scheduled", row=row.public_id).status_code == 204
    row.refresh_from_db()
    assert row.status == ScheduleStatus.CANCELLED


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"what": "rollout", "at": "2099-01-01T00:00"}, "Say how many percent"),
        ({"what": "on", "at": "2001-01-01T00:00"}, "The time must lie ahead."),
        ({"what": "on", "at": "tomorrow"}, "A date and a time"),
        ({"what": "json", "at": "2099-01-01T00:00", "change": "{"}, "This is no JSON"),
        ({"what": "json", "at": "2099-01-01T00:00", "change": '{"rules": 5}'}, "A list is expected."),
    ],
)
def test_a_change_that_can_not_be_planned_is_refused(
    client: Client, sent: dict[str, str], sentence: str
) -> None:
    answer = say(client, made(), "schedule", **sent)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not ScheduledChange.objects.exists()


def test_history_shows_rules_in_words_and_a_version_comes_back(client: Client) -> None:
    flag = made()
    edit(client, flag, "save", **pro(), **REASON)
    page = client.get(url(flag, "?tab=history")).content.decode()
    assert "If plan is one of professional, serve on" in page
    assert "restore/?row=1" in page
    assert "restore/?row=2" not in page
    assert say(client, flag, "restore", row="1").status_code == 204
    flag.refresh_from_db()
    assert (flag.version, flag.rules) == (3, [])


def test_an_archived_flag_is_off_and_offers_only_its_return(client: Client) -> None:
    flag = made()
    assert say(client, flag, "archive").status_code == 204
    page = client.get(url(flag)).content.decode()
    assert "archived" in page
    assert "/override/" not in page
    assert say(client, flag, "restore", row="1").status_code == 204


def test_the_panel_says_what_a_tenant_gets_and_why(client: Client) -> None:
    flag, place, other_place = made(), tenant("acme", "professional"), tenant("borealis")
    edit(client, flag, "save", **pro(), **REASON)
    holder.pin_present()
    answer = client.post(url(flag, "ask/"), {"tenant": "acme", "context": "userId = 42"})
    text = answer.content.decode()
    assert "rule 1 matched" in text
    assert "every condition holds" in text
    assert place.public_id in text
    other = client.post(url(flag, "ask/"), {"tenant": other_place.slug}).content.decode()
    assert "“plan is one of professional” does not hold: plan is &#x27;starter&#x27;" in other
    refused = client.post(url(flag, "ask/"), {"tenant": "acme", "context": "{"})
    assert refused.status_code == 400
    assert "no JSON" in refused.content.decode()
    assert "Several match" not in text
    tenant("acme-two")
    assert "Several match" in client.post(url(flag, "ask/"), {"tenant": "acm"}).content.decode()


def test_the_list_shows_state_reach_and_use_at_a_glance(client: Client) -> None:
    tenant("one", "professional")
    tenant("two")
    flag = made("half", tags=["q4"], owner="team", expiresAt=now() + timedelta(days=2))
    make_override(flag, Tenant.objects.get(slug="one"))
    FlagUsage.objects.create(flag=flag, hour=now() - timedelta(hours=2), variation="on", count=1234)
    make_flag("gone", is_archived=True)
    make_flag("read", handed_out_at=now() - timedelta(days=1))
    services.schedule_change(
        actor=actor(), key="half", at=now() + timedelta(days=1), change={"defaultEnabled": True}
    )
    holder.pin_present()
    text = client.get("/backoffice/flags/?state=live").content.decode()
    assert "50 %" in text
    assert "1,234 evaluations in 7 days" in text
    assert "with all flags" in text.split(">read<")[1].split("</tr>")[0]
    assert "expires in 1 d" in text
    assert ">scheduled<" in text
    assert ">gone<" not in text
    assert ">gone<" in client.get("/backoffice/flags/?state=archived").content.decode()
    assert ">half<" in client.get("/backoffice/flags/?tag=q4&owner=team&q=hal").content.decode()
    assert ">half<" not in client.get("/backoffice/flags/?q=zzz").content.decode()


def test_a_tenants_page_shows_each_flag_and_switches_it() -> None:
    flag, place = made(), tenant("acme")
    holder.pin_present()
    client = visitor("admin")
    page = f"/backoffice/tenants/{place.public_id}/"
    text = client.get(f"{page}?tab=flags").content.decode()
    assert "off by default" in text
    assert "set-flag/?flag=checkout" in text
    dialog = client.get(f"{page}set-flag/?flag=checkout", headers={"HX-Request": "true"}).content.decode()
    assert '<option value="checkout" selected>' in dialog
    sent = {**REASON, "flag": flag.key, "gives": "on"}
    assert client.post(f"{page}set-flag/", sent, headers={"HX-Request": "true"}).status_code == 204
    assert TenantOverride.objects.get().enabled
    back = client.post(f"{page}set-flag/", {**sent, "gives": "rules"}, headers={"HX-Request": "true"})
    assert back.status_code == 204
    assert not TenantOverride.objects.exists()
    again = client.post(f"{page}set-flag/", {**sent, "gives": "rules"}, headers={"HX-Request": "true"})
    assert again.status_code == 404
    assert "no override" in again.content.decode()


def test_support_sees_a_tenants_flags_and_changes_none() -> None:
    made()
    place = tenant("acme")
    holder.pin_present()
    client = visitor("support")
    text = client.get(f"/backoffice/tenants/{place.public_id}/?tab=flags").content.decode()
    assert "off by default" in text
    assert "set-flag" not in text
    assert client.get("/backoffice/flags/").status_code == 403


def test_panel_says_in_words_why_a_prerequisite_failed(client: Client) -> None:
    tenant("acme")
    make_flag("payments")
    flag = services.create_flag(
        actor=actor(), key="checkout", fields={"prerequisites": [{"key": "payments", "variation": "on"}]}
    )
    holder.pin_present()
    told = client.post(url(flag, "ask/"), {"tenant": "acme"}).content.decode()
    assert "payments is off (no rule matched; off by default), asked for on" in told


def test_a_segment_is_made_edited_counted_and_kept_while_it_is_used(client: Client) -> None:
    tenant("one", "professional")
    tenant("two")
    sent = {**REASON, "key": "pros", "attribute": "plan", "operator": "equals", "value": "professional"}
    answer = client.post("/backoffice/segments/create/", sent, headers={"HX-Request": "true"})
    assert answer.status_code == 204, answer.content.decode()
    row = Segment.objects.get()
    page = f"/backoffice/segments/{ids.public(SEGMENT, row.id)}/"
    holder.pin_present()
    assert "1 of 2 tenants" in client.get(page).content.decode()
    condition = {
        "conditions.0.attribute": "plan",
        "conditions.0.operator": "in",
        "conditions.0.value": "a, b",
    }
    added = client.post(
        f"{page}edit/", {**condition, "version": "1", "op": "conditions.add"}
    ).content.decode()
    assert 'name="conditions.1.attribute"' in added
    saved = client.post(f"{page}edit/", {**condition, "version": "1", "op": "save", **REASON})
    assert saved.status_code == 302
    row.refresh_from_db()
    assert row.conditions == [{"attribute": "plan", "operator": "in", "value": ["a", "b"]}]
    late = client.post(f"{page}edit/", {**condition, "version": "1", "op": "save", **REASON})
    assert late.status_code == 412
    empty = client.post(f"{page}edit/", {"version": "2", "op": "save", **REASON})
    assert "At least one condition" in empty.content.decode()
    made(rules=[{"conditions": [{"segment": "pros"}], "variation": "on"}])
    assert ">checkout<" in client.get(f"{page}?tab=flags").content.decode()
    kept = client.post(f"{page}remove/", REASON, headers={"HX-Request": "true"})
    assert kept.status_code == 409
    assert "checkout" in kept.content.decode()
    Flag.objects.all().delete()
    assert client.post(f"{page}remove/", REASON, headers={"HX-Request": "true"}).status_code == 204
    assert not Segment.objects.exists()


def test_home_names_stale_flags_and_changes_that_failed(client: Client) -> None:
    flag = made("old", expiresAt=now() + timedelta(days=1))
    Flag.objects.update(expires_at=now() - timedelta(days=1))
    ScheduledChange.objects.create(
        flag=flag, at=now(), change={}, author="x", status=ScheduleStatus.FAILED, settled_at=now(),
        error={"code": "X", "message": "it broke", "details": {}},
    )  # fmt: skip
    text = client.get("/backoffice/").content.decode()
    assert "Stale flags" in text
    assert "Scheduled changes that failed" in text
    assert "it broke" in client.get(url(flag, "?tab=schedule")).content.decode()
    assert "old" in client.get("/backoffice/search/?q=old").content.decode()


def test_a_flag_is_found_by_its_key_in_the_address(client: Client) -> None:
    made("checkout.form")
    assert client.get("/backoffice/flags/checkout.form/").status_code == 200
    assert client.get("/backoffice/flags/nowhere/").status_code == 404


def test_an_admin_can_not_ask_for_a_change_that_needs_a_second_person() -> None:
    flag, place = made(needsApproval=True), tenant("acme")
    page = f"/backoffice/tenants/{place.public_id}/set-flag/"
    answer = visitor("admin").post(
        page, {**REASON, "flag": flag.key, "gives": "on"}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 403
    assert not TenantOverride.objects.exists()
    asked = visitor("super_admin").post(
        page, {**REASON, "flag": flag.key, "gives": "on"}, headers={"HX-Request": "true"}
    )
    assert asked.status_code == 204
    assert ApprovalRequest.objects.count() == 1
    assert not TenantOverride.objects.exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, ["off"]),
        ({"defaultEnabled": True}, ["on"]),
        ({"rollout": {"percentage": 12.5}}, ["12.5 %"]),
        ({"rollout": {"percentage": 100}}, ["on"]),
        ({"rollout": {"percentage": 0}}, ["off"]),
        ({"rules": [RULE]}, ["1 rule"]),
        ({"rules": [RULE, RULE], "defaultEnabled": True}, ["2 rules", "else on"]),
        ({"rules": [RULE], "rollout": {"percentage": 5}}, ["1 rule", "else 5 %"]),
    ],
)
def test_the_state_says_what_the_rules_leave_over(fields: dict[str, Any], words: list[str]) -> None:
    assert [text for text, _ in looks.states(made(**fields))] == words
