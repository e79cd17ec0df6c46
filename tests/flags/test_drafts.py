"""The editor's form: what is shown of a definition comes back as it was; rows are added, moved and removed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.flags.admin import patches, words
from apps.flags.admin.asking import context_of
from apps.flags.admin.drafts import SPLIT, Condition, Draft, Rule, arrange
from apps.flags.errors import FlagInvalid

SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12),
)
DEFINITION: dict[str, Any] = {
    "type": "boolean",
    "description": "The new form",
    "owner": "team checkout",
    "tags": ["a", "b"],
    "expiresAt": "2026-12-24T18:00:00Z",
    "needsApproval": False,
    "defaultEnabled": True,
    "offVariation": "off",
    "variations": [{"key": "on", "value": True}, {"key": "off", "value": False}],
    "rules": [
        {
            "name": "friends",
            "conditions": [{"attribute": "plan", "operator": "in", "value": ["pro"]}],
            "variation": "on",
        },
        {
            "conditions": [
                {"segment": "europeans"},
                {"attribute": "ip", "operator": "exists", "value": False},
            ],
            "split": [{"variation": "off", "weight": 70}, {"variation": "on", "weight": 30}],
            "contextKey": "userId",
        },
    ],
    "rollout": {"percentage": 12.5, "contextKey": "userId"},
    "prerequisites": [{"key": "payments", "variation": "on"}],
}


def draft(**fields: Any) -> Draft:
    return Draft.of(3, {**DEFINITION, **fields})


@given(SCALARS, st.sampled_from(["equals", "not_equals", "contains"]))
def test_a_value_that_is_shown_is_read_as_it_was(value: Any, operator: str) -> None:
    assert_same(words.read_value(operator, words.typed(operator, value)), value)


@given(st.lists(SCALARS, min_size=1, max_size=5), st.sampled_from(["in", "not_in"]))
def test_a_list_that_is_shown_is_read_as_it_was(values: list[Any], operator: str) -> None:
    found = words.read_value(operator, words.typed(operator, values))
    assert len(found) == len(values)
    for mine, theirs in zip(found, values, strict=True):
        assert_same(mine, theirs)


def assert_same(mine: Any, theirs: Any) -> None:
    assert mine == theirs
    assert isinstance(mine, bool) == isinstance(theirs, bool)
    assert isinstance(mine, str) == isinstance(theirs, str)


@pytest.mark.parametrize(
    ("operator", "text", "value"),
    [
        ("equals", "5", 5),
        ("equals", '"5"', "5"),
        ("equals", "true", True),
        ("equals", "pro, growth", "pro, growth"),
        ("in", 'pro, 5, "a, b"', ["pro", 5, "a, b"]),
        ("greater_than", "2.5", 2.5),
        ("greater_than", "many", "many"),
        ("exists", "false", False),
        ("semver_greater_than", "1.4", "1.4"),
        ("cidr", "10.0.0.0/8, 2001:db8::/32", ["10.0.0.0/8", "2001:db8::/32"]),
        ("starts_with", "true", "true"),
    ],
)
def test_what_is_typed_is_read_as_its_operator_takes_it(operator: str, text: str, value: Any) -> None:
    found = words.read_value(operator, text)
    assert (found, type(found)) == (value, type(value))


def test_a_form_that_was_not_touched_changes_nothing() -> None:
    assert draft().fields(draft()) == {}


def test_every_part_comes_back_as_it_was() -> None:
    empty = Draft(version=3, type="boolean")
    found = draft().fields(empty)
    expected = {name: value for name, value in DEFINITION.items() if name not in {"type", "needsApproval"}}
    expected["expiresAt"] = "2026-12-24T18:00:00+00:00"
    assert found == expected


def test_shares_keep_the_order_that_decides_who_is_in_which() -> None:
    rule = draft().rules[1]
    assert [each.variation for each in rule.shares] == ["off", "on"]
    assert rule.data()["split"] == DEFINITION["rules"][1]["split"]


def test_a_rule_is_added_with_a_condition_and_serves_on() -> None:
    form = draft(rules=[])
    assert arrange(form, "rules.add") == "rules.0.conditions.0.attribute"
    assert (form.rules[0].serve, len(form.rules[0].conditions), len(form.rules[0].shares)) == ("on", 1, 2)


def test_rules_move_and_stop_at_the_ends() -> None:
    form = draft()

    def names() -> list[str]:
        return [each.name for each in form.rules]

    arrange(form, "rules.1.up")
    assert names() == ["", "friends"]
    arrange(form, "rules.0.up")
    arrange(form, "rules.1.down")
    arrange(form, "rules.7.up")
    assert names() == ["", "friends"]


def test_rows_are_added_and_removed() -> None:
    form = draft()
    assert arrange(form, "rules.1.conditions.add") == "rules.1.conditions.2.attribute"
    arrange(form, "rules.1.conditions.0.remove")
    assert [each.operator for each in form.rules[1].conditions] == ["exists", "equals"]
    arrange(form, "rules.0.remove")
    assert len(form.rules) == 1
    arrange(form, "variations.add")
    arrange(form, "prerequisites.0.remove")
    assert (len(form.variations), form.prerequisites) == (3, [])


@pytest.mark.parametrize(
    "order", ["save", "", "rules.9.remove", "rules.9.conditions.add", "rules.x.up", "salt.add", "rules.-1.up"]
)
def test_an_order_that_makes_no_sense_changes_nothing(order: str) -> None:
    form = draft()
    arrange(form, order)
    assert form == draft()


def test_what_was_sent_is_read_in_order_with_gaps() -> None:
    sent = {
        "version": "3",
        "rules.4.serve": "on",
        "rules.4.conditions.9.attribute": "plan",
        "rules.4.conditions.9.operator": "equals",
        "rules.4.conditions.9.value": "pro",
        "rules.2.serve": SPLIT,
        "rules.2.name": " first ",
        "variations.0.key": "on",
        "variations.0.value": "true",
        "rules.99999.name": "far away",
        "tags": "a, ,b, a",
    }
    form = Draft.sent(sent, "boolean")
    assert [each.name for each in form.rules] == ["first", ""]
    assert form.rules[1].data() == {
        "conditions": [{"attribute": "plan", "operator": "equals", "value": "pro"}],
        "variation": "on",
    }
    assert form.tags == "a, b"


def test_my_changes_over_a_newer_version_keep_what_others_changed() -> None:
    base, mine = draft(), draft(owner="me")
    newer = Draft.of(4, {**DEFINITION, "rules": [], "owner": "them"})
    merged = mine.over(newer, base)
    assert (merged.version, merged.owner, merged.rules) == (4, "me", [])


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("{", "json"),
        ("[]", "json"),
        ("NaN", "json"),
        ('{"description": "\\u0000"}', "json"),
        ('{"nonsense": 1}', "nonsense"),
        ('{"key": "other"}', "key"),
        ('{"description": 5}', "description"),
        ('{"tags": [1]}', "tags"),
        ('{"expiresAt": "soon"}', "expiresAt"),
        ('{"rollout": 5}', "rollout"),
        ('{"hash": []}', "hash"),
    ],
)
def test_json_that_no_patch_takes_is_refused_with_its_place(text: str, field: str) -> None:
    with pytest.raises(FlagInvalid) as refused:
        patches.patch(text)
    assert list(refused.value.details) == [field]


def test_rules_read_as_sentences() -> None:
    assert [words.rule(each) for each in DEFINITION["rules"]] == [
        "If plan is one of pro, serve on",
        "If it is in the segment europeans and ip is absent, split off 70 %, on 30 % by userId",
    ]
    assert words.rollout({"percentage": 12.5}) == "12.5 % by tenantId"


@pytest.mark.parametrize(
    ("text", "context"),
    [
        ("", {}),
        ("userId = 42\nrole=owner", {"userId": 42, "role": "owner"}),
        ('userId = "42"', {"userId": "42"}),
        ('{"userId": "42", "groups": ["a"]}', {"userId": "42", "groups": ["a"]}),
    ],
)
def test_a_context_is_written_in_lines_or_as_json(text: str, context: dict[str, Any]) -> None:
    assert context_of(text) == context


@pytest.mark.parametrize("text", ["userId", "= 5", "{", '{"a": NaN}'])
def test_a_context_that_is_neither_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"context|written"):
        context_of(text)


def test_a_new_condition_is_told_of_as_empty() -> None:
    assert words.condition(Condition("plan", "equals", "").data()) == 'plan is ""'
    assert Rule().data()["conditions"][0]["attribute"] == ""
