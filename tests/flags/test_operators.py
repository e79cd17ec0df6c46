"""Each operator: what holds, what does not, and what is refused."""

from typing import Any

import pytest

from apps.flags.engine import Malformed, read_flag
from tests.flags.engine_world import flag, rule, snapshot

HOLDS: list[tuple[str, Any, Any]] = [
    ("equals", "pro", "pro"),
    ("equals", 5, 5.0),
    ("equals", 5, "5"),
    ("equals", True, "true"),
    ("equals", "vip", ["new", "vip"]),
    ("not_equals", "pro", "free"),
    ("not_equals", "vip", ["new"]),
    ("not_equals", "vip", []),
    ("in", ["a", 1], "a"),
    ("in", ["a", 1], 1),
    ("in", [0.1], "0.1"),
    ("not_in", ["a", "b"], "c"),
    ("contains", "ell", "hello"),
    ("contains", "vip", ["vip"]),
    ("starts_with", "he", "hello"),
    ("ends_with", "lo", "hello"),
    ("equals", "vip", ["new"] * 999 + ["vip"]),
    ("matches", "^h.*o$", "hello"),
    ("matches", "ell", "hello"),
    ("matches", "ell", ["no", 5, "hello"]),
    ("matches", "b$", "a" * 2047 + "b"),
    ("greater_than", 3, 4),
    ("greater_than", 3, "3.5"),
    ("greater_than", 9007199254740992, 9007199254740993),
    ("less_than", 3, -1e300),
    ("semver_equals", "1.2.0", "1.2"),
    ("semver_greater_than", "2.0.0-rc.1", "2.0.0"),
    ("semver_less_than", "1.10.0", "1.9.9"),
    ("before", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59.999999999Z"),
    ("before", "2026-01-01T00:00:00Z", "2026-01-01T00:30:00+01:00"),
    ("after", "2026-01-01", "2026-01-01T00:00:01Z"),
    ("exists", True, 0),
    ("exists", True, []),
    ("cidr", "10.0.0.0/8", "10.1.2.3"),
    ("cidr", "10.0.0.0/8", "::ffff:10.1.2.3"),
    ("cidr", ["192.0.2.0/24", "2001:db8::/32"], "2001:db8::1"),
]
FAILS: list[tuple[str, Any, Any]] = [
    ("equals", "pro", "Pro"),
    ("equals", 1, True),
    ("equals", True, 1),
    ("equals", "a", {"a": 1}),
    ("not_equals", "pro", "pro"),
    ("not_equals", "pro", 5),
    ("not_equals", "vip", ["vip", "new"]),
    ("not_in", ["a"], "a"),
    ("in", [1], True),
    ("in", ["a"], []),
    ("contains", "x", "hello"),
    ("contains", "ell", ["hello"]),
    ("contains", "5", 5),
    ("starts_with", "h", 5),
    ("equals", "vip", ["vip"] * 1001),
    ("not_equals", "vip", ["new"] * 1001),
    ("contains", "vip", ["vip"] * 1001),
    ("semver_equals", "1.2.0", ["1.2.0"] * 1001),
    ("matches", "^h", ["h"] * 1001),
    ("matches", "^ell", "hello"),
    ("matches", "^h", ["no", 5]),
    ("matches", "h", []),
    # The largest expressions take a thousand steps a character: seconds, for what a caller may send.
    ("matches", "b$", "a" * 2048 + "b"),
    ("matches", "b$", ["a" * 1024, "a" * 1024 + "b"]),
    ("matches", "h", "\ud800"),
    ("greater_than", 3, "three"),
    ("greater_than", 3, True),
    ("greater_than", 3, float("nan")),
    ("less_than", 3, "1" * 5_000),
    ("semver_equals", "1.2.0", "v1.2.0"),
    ("semver_less_than", "1.2.0", "9" * 5_000),
    ("semver_greater_than", "1.2.0", 2),
    ("before", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
    ("before", "2026-01-01T00:00:00Z", "yesterday"),
    ("before", "2026-01-01T00:00:00Z", "20250101"),
    ("before", "2026-01-01T00:00:00Z", "2025-02-30"),
    ("after", "2026-01-01", 1893456000),
    ("exists", False, "here"),
    ("cidr", "10.0.0.0/8", "11.0.0.1"),
    ("cidr", "10.0.0.0/8", "10.0.0.0/8"),
    ("cidr", "10.0.0.0/8", "not an address"),
]


def outcome(operator: str, value: Any, *, context: dict[str, Any]) -> bool:
    found = snapshot(flag(rules=[rule("it", operator, value)])).evaluate("checkout", "tnt_a", context, at=0)
    assert found is not None
    return found.enabled


@pytest.mark.parametrize(("operator", "value", "sent"), HOLDS)
def test_a_condition_holds(operator: str, value: Any, sent: Any) -> None:
    assert outcome(operator, value, context={"it": sent})


@pytest.mark.parametrize(("operator", "value", "sent"), FAILS)
def test_a_condition_fails(operator: str, value: Any, sent: Any) -> None:
    assert not outcome(operator, value, context={"it": sent})


@pytest.mark.parametrize(
    ("operator", "value"), sorted({(op, repr(v)): (op, v) for op, v, _ in HOLDS}.values(), key=repr)
)
def test_an_absent_attribute_fails_its_condition(operator: str, value: Any) -> None:
    assert not outcome(operator, value, context={})
    assert not outcome(operator, value, context={"it": None})


def test_only_exists_false_holds_for_what_is_absent() -> None:
    assert outcome("exists", False, context={})
    assert outcome("exists", False, context={"it": None})


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("in", "a"),
        ("in", []),
        ("in", [["a"]]),
        ("equals", None),
        ("equals", {"a": 1}),
        ("contains", ["a"]),
        ("starts_with", ""),
        ("matches", "(a"),
        ("matches", "(?=a)b"),
        ("matches", r"(a)\1"),
        ("matches", "a" * 501),
        ("matches", "(((a{100}){100}){100}){100}"),
        ("greater_than", "5"),
        ("less_than", True),
        ("semver_equals", "one"),
        ("before", "yesterday"),
        ("before", 5),
        ("exists", "yes"),
        ("cidr", "10.0.0.0/33"),
        ("cidr", []),
        ("resembles", "a"),
    ],
)
def test_a_value_that_does_not_fit_its_operator_is_refused_where_it_stands(operator: str, value: Any) -> None:
    with pytest.raises(Malformed) as refused:
        flag(rules=[rule("plan", "exists", True), rule("it", operator, value)])
    assert refused.value.field.startswith("rules.1.conditions.0.")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"key": "Checkout"}, "key"),
        ({"key": "a" * 129}, "key"),
        ({"key": "a\n"}, "key"),
        ({"type": "date"}, "type"),
        ({"type": "string"}, "variations"),
        ({"type": "string", "variations": [{"key": "a", "value": "a"}]}, "variations"),
        ({"type": "number", "variations": [{"key": "a", "value": "1"}]}, "variations.0.value"),
        ({"type": "number", "variations": [{"key": "a", "value": True}]}, "variations.0.value"),
        ({"variations": [{"key": "on", "value": False}]}, "variations"),
        ({"variations": [{"key": "x", "value": True}, {"key": "x", "value": False}]}, "variations.1.key"),
        ({"offVariation": "none"}, "offVariation"),
        ({"offVariation": "on"}, "offVariation"),
        ({"variations": [{"key": "yes", "value": True}], "offVariation": "yes"}, "offVariation"),
        ({"variations": [{"key": "no", "value": False}]}, "variations"),
        ({"hash": "crc32"}, "hash"),
        ({"rules": {}}, "rules"),
        ({"rules": [{"variation": "on"}]}, "rules.0.conditions"),
        (
            {"rules": [{"conditions": [{"segment": "gone"}], "variation": "on"}]},
            "rules.0.conditions.0.segment",
        ),
        ({"rules": [rule("a", "exists", True, "gone")]}, "rules.0.variation"),
        ({"rules": [{**rule("a", "exists", True), "split": []}]}, "rules.0"),
        ({"rules": [{**rule("a", "exists", True), "extra": 1}]}, "rules.0.extra"),
        ({"rollout": {"percentage": 101}}, "rollout.percentage"),
        ({"rollout": {"percentage": 0.0001}}, "rollout.percentage"),
        ({"rollout": {"percentage": "5"}}, "rollout.percentage"),
        ({"rollout": {}}, "rollout.percentage"),
        ({"prerequisites": [{"key": "checkout", "variation": "on"}]}, "prerequisites.0"),
        ({"defaultEnabled": "yes"}, "defaultEnabled"),
    ],
)
def test_a_definition_that_makes_no_sense_is_refused_where_it_stands(
    fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(Malformed) as refused:
        flag(**fields)
    assert refused.value.field == field


def test_weights_must_add_up_exactly() -> None:
    def split(*weights: float) -> None:
        made = [{"variation": "on", "weight": weight} for weight in weights]
        read_flag({"key": "a", "rules": [{"conditions": [{"segment": "s"}], "split": made}]}, segments={"s"})

    split(33.333, 33.333, 33.334)
    split(0.1, 0.2, 99.7)
    with pytest.raises(Malformed, match="add up to 100"):
        split(33.333, 33.333, 33.333)
