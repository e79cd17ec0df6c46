"""The order of evaluation, and what each step reports (contracts/service.md, section 3)."""

import json
from typing import Any

import pytest

from apps.flags.engine import Flag, Override, Reason, Snapshot, read_flag
from tests.flags.engine_world import EUROPEANS, flag, rule, segment, snapshot


def decided(
    made: Snapshot, tenant: str | None = "tnt_a", key: str = "checkout", at: float = 0.0, **context: Any
) -> Any:
    found = made.evaluate(key, tenant, context, at=at)
    assert found is not None
    return found.variation, found.reason


def test_a_flag_without_anything_is_its_default() -> None:
    assert decided(snapshot(flag())) == ("off", Reason.DEFAULT_DISABLED)
    assert decided(snapshot(flag(defaultEnabled=True))) == ("on", Reason.DEFAULT_ENABLED)


def test_an_unknown_flag_is_none() -> None:
    assert snapshot(flag()).evaluate("another", "tnt_a", {}, at=0) is None
    assert snapshot(flag()).explain("another", "tnt_a", {}, at=0) is None


def test_every_step_wins_over_those_after_it() -> None:
    fields: dict[str, Any] = {
        "rules": [rule("plan", "equals", "pro")],
        "rollout": {"percentage": 100},
        "prerequisites": [{"key": "base", "variation": "on"}],
    }
    base_on, base_off = flag(key="base", defaultEnabled=True), flag(key="base")
    given = Override("checkout", "tnt_a", "off")

    assert (
        decided(snapshot(flag(**fields, isArchived=True), base_off, overrides=[given]))[1] == Reason.ARCHIVED
    )
    assert decided(snapshot(flag(**fields), base_on, overrides=[given])) == ("off", Reason.OVERRIDE_DISABLED)
    enabled = Override("checkout", "tnt_a", "on")
    assert decided(snapshot(flag(**fields), base_off, overrides=[enabled])) == ("on", Reason.OVERRIDE_ENABLED)
    assert decided(snapshot(flag(**fields), base_off)) == ("off", Reason.PREREQUISITE_FAILED)
    assert decided(snapshot(flag(**fields), base_on)) == ("on", Reason.RULE_MATCH)
    assert decided(snapshot(flag(**fields), base_on), "tnt_b") == ("on", Reason.ROLLOUT)
    del fields["rollout"]
    assert decided(snapshot(flag(**fields), base_on), "tnt_b") == ("off", Reason.DEFAULT_DISABLED)


def test_an_override_that_ended_no_longer_counts_and_the_revision_says_so() -> None:
    made = snapshot(flag(), overrides=[Override("checkout", "tnt_a", "on", expires_at=100.0)])

    assert decided(made, at=99.9) == ("on", Reason.OVERRIDE_ENABLED)
    assert decided(made, at=100.0) == ("off", Reason.DEFAULT_DISABLED)
    assert made.revision_at(99.9) != made.revision_at(100.0)
    assert made.next_expiry(0.0) == 100.0
    assert made.next_expiry(100.0) is None


def test_the_first_rule_that_matches_decides() -> None:
    made = snapshot(
        flag(
            type="string",
            variations=[{"key": key, "value": key} for key in ("a", "b", "none")],
            rules=[
                {**rule("plan", "equals", "free", "a"), "name": "free plans"},
                rule("tags", "contains", "vip", "b"),
                rule("plan", "equals", "pro", "a"),
            ],
        )
    )
    found = made.evaluate("checkout", "tnt_a", {}, at=0)
    assert found is not None
    assert (found.variation, found.value, found.rule, found.enabled) == ("b", "b", 1, True)
    named = made.evaluate("checkout", "tnt_b", {}, at=0)
    assert named is not None
    assert named.rule_name == "free plans"


def test_a_rule_that_serves_the_off_variation_is_not_enabled() -> None:
    found = snapshot(flag(defaultEnabled=True, rules=[rule("plan", "equals", "pro", "off")])).evaluate(
        "checkout", "tnt_a", {}, at=0
    )
    assert found is not None
    assert (found.enabled, found.value, found.reason) == (False, False, Reason.RULE_MATCH)


def test_a_segment_holds_for_those_in_it() -> None:
    rules = [{"conditions": [{"segment": "europeans"}], "variation": "on"}]
    made = snapshot(flag(rules=rules), segments=[EUROPEANS])
    assert decided(made, "tnt_a")[0] == "on"
    assert decided(made, "tnt_b")[0] == "off"
    assert decided(snapshot(flag(rules=rules)), "tnt_a")[0] == "off"  # the segment is gone


def test_what_is_known_of_the_tenant_can_not_be_forged() -> None:
    made = snapshot(flag(rules=[rule("plan", "equals", "pro")]))
    assert decided(made, "tnt_b", plan="pro")[0] == "off"
    assert decided(made, "tnt_unknown", plan="pro")[0] == "off"
    assert decided(made, None, plan="pro")[0] == "off"


def test_a_tenant_that_is_not_known_still_has_its_id() -> None:
    made = snapshot(flag(rules=[rule("tenantId", "equals", "tnt_new")]))
    assert decided(made, "tnt_new")[0] == "on"


def test_a_split_without_its_context_key_is_no_match() -> None:
    split = {
        "conditions": [{"attribute": "plan", "operator": "exists"}],
        "split": [{"variation": "on", "weight": 100}],
        "contextKey": "userId",
    }
    made = snapshot(flag(rules=[split], rollout={"percentage": 100, "contextKey": "userId"}))
    assert decided(made) == ("off", Reason.DEFAULT_DISABLED)
    assert decided(made, userId="u1") == ("on", Reason.RULE_MATCH)
    assert decided(made, userId=True)[0] == decided(made, userId=[1])[0] == "off"


def _chain(length: int) -> list[Flag]:
    last = flag(key="f0", defaultEnabled=True)
    wanted = [
        flag(key=f"f{n}", defaultEnabled=True, prerequisites=[{"key": f"f{n - 1}", "variation": "on"}])
        for n in range(1, length + 1)
    ]
    return [last, *wanted]


def test_a_chain_of_prerequisites_holds_down_to_its_end() -> None:
    assert decided(snapshot(*_chain(10)), key="f10") == ("on", Reason.DEFAULT_ENABLED)
    off = [flag(key="f0"), *_chain(10)[1:]]
    assert decided(snapshot(*off), key="f10") == ("off", Reason.PREREQUISITE_FAILED)


def test_a_circle_or_too_long_a_chain_that_got_in_fails_alike_from_everywhere() -> None:
    circle = [
        flag(key="a", defaultEnabled=True, prerequisites=[{"key": "b", "variation": "off"}]),
        flag(key="b", defaultEnabled=True, prerequisites=[{"key": "a", "variation": "off"}]),
        flag(key="c", defaultEnabled=True, prerequisites=[{"key": "a", "variation": "off"}]),
        flag(key="d", defaultEnabled=True, prerequisites=[{"key": "gone", "variation": "off"}]),
    ]
    made = snapshot(*circle, *_chain(2_000))
    for key in ("a", "b", "c", "d", "f11", "f2000"):
        assert decided(made, key=key) == ("off", Reason.PREREQUISITE_FAILED)
    assert decided(made, key="f10")[0] == "on"
    whole = {each.key: each for each in made.bootstrap("tnt_a", {}, at=0).decisions}
    assert all(whole[key] == made.evaluate(key, "tnt_a", {}, at=0) for key in whole)


def test_a_thousand_flags_that_share_prerequisites_are_decided_once_each() -> None:
    # Without the memo this would be 2^10 walks for each flag.
    layers = [
        [flag(key=f"l{n}a", defaultEnabled=True), flag(key=f"l{n}b", defaultEnabled=True)] for n in range(1)
    ]
    for n in range(1, 11):
        below = [{"key": f"l{n - 1}{side}", "variation": "on"} for side in "ab"]
        layers.append([flag(key=f"l{n}{side}", defaultEnabled=True, prerequisites=below) for side in "ab"])
    made = snapshot(*[each for layer in layers for each in layer])
    assert decided(made, key="l10a")[0] == "on"


def test_explaining_tells_every_rule_that_was_tried() -> None:
    made = snapshot(
        flag(
            rules=[{**rule("plan", "equals", "free"), "name": "free"}, rule("tags", "contains", "vip")],
            prerequisites=[{"key": "base", "variation": "on"}],
        ),
        flag(key="base", defaultEnabled=True),
        overrides=[Override("checkout", "tnt_b", "on")],
    )
    found = made.explain("checkout", "tnt_a", {}, at=0)
    assert found is not None
    assert [(each.step, each.outcome) for each in found.trace] == [
        ("tenant override", "not matched"),
        ("prerequisite", "holds"),
        ("rule 'free'", "not matched"),
        ("rule", "matched"),
    ]
    assert found.trace[2].detail == "condition 0: plan is 'pro', asked for equals 'free'"


def test_bootstrap_has_every_flag_by_key() -> None:
    made = snapshot(flag(key="b"), flag(key="a", defaultEnabled=True), flag(key="c", isArchived=True))
    found = made.bootstrap("tnt_a", {}, at=0)
    assert [(each.key, each.enabled) for each in found.decisions] == [("a", True), ("b", False), ("c", False)]
    assert found.revision == "1"


def test_ten_thousand_overrides_and_a_megabyte_of_context_are_taken() -> None:
    many = [Override("checkout", f"tnt_{n}", "on") for n in range(10_000)]
    made = snapshot(flag(rules=[rule("note", "matches", "(a+)+$")]), overrides=many)
    assert decided(made, "tnt_9999")[0] == "on"
    assert decided(made, "tnt_a", note="a" * 1_000_000 + "b")[0] == "off"


def test_a_segment_names_no_segment() -> None:
    with pytest.raises(ValueError, match="no other segment"):
        segment({"segment": "europeans"})


def test_definitions_survive_json() -> None:
    data = {"key": "checkout", "rollout": {"percentage": 12.345}, "rules": [rule("plan", "in", ["pro"])]}
    assert read_flag(json.loads(json.dumps(data)), segments=()) == read_flag(data, segments=())
