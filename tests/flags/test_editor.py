"""The editor of a flag: rules without JSON, a preview, refusals at their place, a second person where one is needed."""

import json

import pytest
from django.test import Client

from apps.approvals.models import ApprovalRequest
from apps.audit.models import AuditEntry
from apps.flags import services
from apps.flags.models import Flag
from apps.flags.snapshot import holder
from tests.backoffice.visits import visitor
from tests.factories import actor, make_override, make_segment
from tests.flags.desk import REASON, edit, made, pro, rule, say, tenant, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    return visitor("super_admin")


def test_a_rule_is_written_without_json_and_saved(client: Client) -> None:
    flag = made()
    answer = edit(client, flag, "save", **pro(), **REASON)
    assert answer.status_code == 302, answer.content.decode()
    flag.refresh_from_db()
    condition = {"attribute": "plan", "operator": "in", "value": ["professional"]}
    assert flag.rules == [{"conditions": [condition], "variation": "on"}]
    entry = AuditEntry.objects.get(action="flag.update")
    assert (entry.via, entry.outcome, entry.resource_id) == ("backoffice", "success", "checkout")


def test_only_what_was_changed_is_written(client: Client) -> None:
    flag = made(owner="team", rollout={"percentage": 5})
    edit(client, flag, "save", description="New", **{"rollout.percentage": "5"}, **REASON)
    change = flag.changes.get(version=2)
    before, after = change.before or {}, change.after or {}
    assert [name for name in after if after[name] != before[name]] == ["description"]


def test_preview_counts_tenants_and_changes_nothing(client: Client) -> None:
    tenant("one", "professional")
    tenant("two", "professional")
    tenant("three")
    flag = made()
    holder.pin_present()
    text = edit(client, flag, "preview", **pro()).content.decode()
    assert "<strong>2 of 3</strong>" in text
    assert ">One</a>, " in text
    assert ">Three</a>" not in text
    assert "plan is one of professional" in text
    flag.refresh_from_db()
    assert (flag.version, flag.rules) == (1, [])


def test_preview_says_that_rules_look_at_what_callers_send(client: Client) -> None:
    flag = made()
    holder.pin_present()
    text = edit(client, flag, "preview", **rule(attribute="userId", operator="exists", value="true"))
    assert "what callers send" in text.content.decode()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (rule(attribute="plan", operator="greater_than", value="many"), "A number is expected."),
        (rule(attribute="", operator="equals", value="x"), "The name of an attribute is expected."),
        (rule(attribute="email", operator="matches", value="("), "no regular expression of RE2"),
        (rule(operator="segment", value="nobody"), "There is no segment"),
        (rule(attribute="plan", operator="equals", value="x", serve="blue"), "There is no variation"),
        ({"rollout.percentage": "101"}, "A percentage from 0 to 100"),
        ({"rollout.percentage": "lots"}, "A percentage from 0 to 100"),
        ({"prerequisites.0.key": "nowhere", "prerequisites.0.variation": "on"}, "There is no flag"),
        ({"prerequisites.0.key": "upstream", "prerequisites.0.variation": "on"}, "run in a circle"),
        ({"prerequisites.0.key": "checkout", "prerequisites.0.variation": "on"}, "own prerequisite"),
        ({"expiresAt": "soon"}, "A date and a time"),
        ({"tags": ",".join(map(str, range(30)))}, "At most 20 different tags"),
        ({"variations.2.key": "a b", "variations.2.value": "true"}, "1 to 64 letters"),
        ({"offVariation": "on"}, "off is a variation whose value is false"),
        ({}, "Nothing was changed."),
    ],
)
def test_what_makes_no_sense_is_said_at_its_place(
    client: Client, changes: dict[str, str], sentence: str
) -> None:
    flag = made()
    made("upstream", prerequisites=[{"key": "checkout", "variation": "on"}])
    holder.pin_present()
    answer = edit(client, flag, "save", **changes, **REASON)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    flag.refresh_from_db()
    assert flag.version == 1


def test_shares_that_do_not_add_up_are_refused_beside_the_split(client: Client) -> None:
    flag = made()
    shares = {
        "rules.0.split.0.variation": "on",
        "rules.0.split.0.weight": "30",
        "rules.0.split.1.variation": "off",
        "rules.0.split.1.weight": "60",
    }
    sent = {**rule(attribute="plan", operator="equals", value="pro", serve="*"), **shares}
    answer = edit(client, flag, "save", **sent, **REASON)
    assert answer.status_code == 400
    assert "The weights must add up to 100." in answer.content.decode()
    answer = edit(client, flag, "save", **{**sent, "rules.0.split.1.weight": "70"}, **REASON)
    assert answer.status_code == 302
    flag.refresh_from_db()
    assert [each["weight"] for each in flag.rules[0]["split"]] == [30, 70]


def test_saving_without_a_reason_is_refused_and_keeps_what_was_typed(client: Client) -> None:
    answer = edit(client, made(), "save", **pro())
    assert answer.status_code == 400
    assert "Say why" in answer.content.decode()
    assert 'value="professional"' in answer.content.decode()


def test_buttons_add_and_move_rows_without_saving(client: Client) -> None:
    flag = made()
    text = edit(client, flag, "rules.add").content.decode()
    assert 'name="rules.0.conditions.0.attribute"' in text
    assert "autofocus" in text
    assert edit(client, flag, "rules.0.up", **pro()).status_code == 200
    flag.refresh_from_db()
    assert flag.version == 1


def test_a_newer_version_is_shown_and_my_changes_can_go_over_it(client: Client) -> None:
    flag = made()
    services.update_flag(actor=actor(), key=flag.key, fields={"owner": "somebody else"})
    answer = edit(client, flag, "save", **pro(), **REASON)
    text = answer.content.decode()
    assert answer.status_code == 412
    assert "Version 2 was saved meanwhile" in text
    assert "somebody else" in text
    answer = edit(client, flag, "rebase", **pro(), **REASON)
    text = answer.content.decode()
    assert 'name="version" value="2"' in text
    assert 'value="somebody else"' in text
    assert 'value="professional"' in text


def test_json_is_a_way_out_with_the_same_rules(client: Client) -> None:
    flag = made()
    page = client.get(url(flag, "?tab=edit&as=json")).content.decode()
    assert "&quot;defaultEnabled&quot;: false" in page
    sent = {"as": "json", "version": "1", "op": "save", **REASON}
    refused = client.post(url(flag, "edit/"), {**sent, "json": '{"rollout": {"percentage": 500}}'})
    assert refused.status_code == 400
    assert "rollout.percentage: A percentage" in refused.content.decode()
    assert (
        client.post(url(flag, "edit/"), {**sent, "json": '{"rollout": {"percentage": 5}}'}).status_code == 302
    )
    flag.refresh_from_db()
    assert flag.rollout == {"percentage": 5}


def test_preview_refuses_what_saving_would_and_shows_what_changes_with_it(client: Client) -> None:
    colours = [{"key": key, "value": key} for key in ("blue", "green", "red")]
    flag = made(type="string", variations=colours)
    sent = {"as": "json", "version": "1", "op": "preview"}
    fewer = json.dumps({"variations": colours[:2]})
    shown = client.post(url(flag, "edit/"), {**sent, "json": fewer}).content.decode()
    # Off meant the last one: so it does again.
    assert "<dt>off means</dt><dd><del>red</del>" in shown
    make_override(flag, tenant("acme"), variation="red")
    refused = client.post(url(flag, "edit/"), {**sent, "json": fewer})
    assert refused.status_code == 400
    assert "overrides give the variation &#x27;red&#x27;" in refused.content.decode()


def test_a_flag_that_needs_a_second_person_waits_for_one(client: Client) -> None:
    flag = made(needsApproval=True)
    assert edit(client, flag, "save", needsApproval="yes", **pro(), **REASON).status_code == 302
    flag.refresh_from_db()
    assert flag.version == 1
    request = ApprovalRequest.objects.get()
    assert request.parameters["operation"] == "update"
    say(client, flag, "archive")
    assert not Flag.objects.get().is_archived
    assert ApprovalRequest.objects.count() == 2


def test_a_segment_is_offered_to_rules(client: Client) -> None:
    make_segment("europeans")
    flag = made()
    assert (
        edit(client, flag, "save", **rule(operator="segment", value="europeans"), **REASON).status_code == 302
    )
    flag.refresh_from_db()
    assert flag.rules == [{"conditions": [{"segment": "europeans"}], "variation": "on"}]
    assert "in the segment europeans" in client.get(url(flag)).content.decode()


def test_a_flag_with_hundreds_of_rules_is_edited_as_json(client: Client) -> None:
    each = {"conditions": [{"attribute": "plan", "operator": "equals", "value": "pro"}], "variation": "on"}
    page = client.get(url(made(rules=[each] * 150), "?tab=edit")).content.decode()
    assert "150 rules are too many for a form" in page
    assert 'name="json"' in page
    assert 'name="rules.0.serve"' not in page


def test_an_unknown_button_and_an_unknown_version_change_nothing(client: Client) -> None:
    flag = made()
    assert edit(client, flag, "explode", **pro()).status_code == 200
    assert edit(client, flag, "save", **{**pro(), "version": "999999"}, **REASON).status_code == 412
    assert edit(client, flag, "save", **{**pro(), "version": "x"}, **REASON).status_code == 412
    assert client.get(url(flag, "edit/")).status_code == 302
    flag.refresh_from_db()
    assert flag.version == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        '{"rules": [5]}',
        '{"rules": [{"conditions": null, "variation": "on"}]}',
        '{"rules": [{"conditions": [{"segment": {}}], "variation": "on"}]}',
        '{"rules": [{"conditions": [{"attribute": 5, "operator": [], "value": {}}], "variation": {}}]}',
        '{"variations": [null]}',
        '{"variations": [{"key": "on", "value": 1e400}]}',
        '{"type": "object", "variations": [{"key": "a", "value": 5}, {"key": "b", "value": {}}]}',
        '{"offVariation": "blue"}',
        '{"rollout": {"percentage": "all"}}',
        '{"prerequisites": [{"key": {}, "variation": []}]}',
        '{"hash": "md6"}',
        '{"salt": "' + "x" * 300 + '"}',
        '{"owner": "' + "x" * 300 + '"}',
        '{"description": "\\ud800"}',
        "[" * 5000,
    ],
)
def test_json_that_makes_no_sense_is_refused_and_never_breaks(client: Client, text: str) -> None:
    flag = made()
    holder.pin_present()
    for op in ("preview", "save"):
        sent = {"as": "json", "version": "1", "op": op, "json": text, **REASON}
        assert client.post(url(flag, "edit/"), sent).status_code == 400, op
    flag.refresh_from_db()
    assert flag.version == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"rules.0.serve": "on"},
        {"rules.0.serve": "*"},
        {"rules.0.conditions.0.operator": "exists"},
        {"rules.999.conditions.999.operator": "nonsense"},
        {"rules.0.conditions.0.operator": "segment", "rules.0.serve": "on"},
        {"rules.0.split.0.weight": "1e999", "rules.0.serve": "*"},
        {"rules.0.split.0.variation": "on", "rules.0.split.0.weight": "NaN", "rules.0.serve": "*"},
        {"variations.0.key": "", "variations.0.value": "{"},
        {"variations.0.value": "1e999"},
        {"rollout.percentage": "9" * 400},
        {"rollout.percentage": "-1"},
        {"expiresAt": "9999-99-99T99:99"},
        {"offVariation": "nobody"},
        {"prerequisites.0.key": "\0"},
        {"description": "x" * 2000},
        {"owner": "x" * 300},
    ],
)
def test_a_form_that_makes_no_sense_is_refused_and_never_breaks(
    client: Client, changes: dict[str, str]
) -> None:
    flag = made()
    holder.pin_present()
    for op in ("preview", "save"):
        answer = edit(client, flag, op, **changes, **REASON)
        assert answer.status_code == 400, op
        assert 'role="alert"' in answer.content.decode()
    flag.refresh_from_db()
    assert flag.version == 1
