"""Rules in plain words, and values as people type them."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from apps.core.clock import iso
from apps.flags.engine import FACTS, Operator, Reason
from apps.flags.engine.operators import number
from apps.flags.enums import StaleReason
from apps.flags.models import Flag

OPERATORS: Mapping[str, str] = {
    Operator.EQUALS: "is",
    Operator.NOT_EQUALS: "is not",
    Operator.IN: "is one of",
    Operator.NOT_IN: "is none of",
    Operator.CONTAINS: "contains",
    Operator.STARTS_WITH: "starts with",
    Operator.ENDS_WITH: "ends with",
    Operator.MATCHES: "matches the pattern",
    Operator.GREATER_THAN: "is more than",
    Operator.LESS_THAN: "is less than",
    Operator.SEMVER_EQUALS: "is version",
    Operator.SEMVER_GREATER_THAN: "is a later version than",
    Operator.SEMVER_LESS_THAN: "is an earlier version than",
    Operator.BEFORE: "is before",
    Operator.AFTER: "is after",
    Operator.EXISTS: "is there",
    Operator.CIDR: "is an address in",
}
REASONS: Mapping[str, str] = {
    Reason.ARCHIVED: "the flag is archived",
    Reason.OVERRIDE_ENABLED: "an override of this tenant",
    Reason.OVERRIDE_DISABLED: "an override of this tenant",
    Reason.PREREQUISITE_FAILED: "a prerequisite does not hold",
    Reason.RULE_MATCH: "a rule matched",
    Reason.ROLLOUT: "the rollout reaches it",
    Reason.DEFAULT_ENABLED: "no rule matched; on by default",
    Reason.DEFAULT_DISABLED: "no rule matched; off by default",
}
STALE: Mapping[str, str] = {
    StaleReason.EXPIRED: "expired",
    StaleReason.SETTLED: "settled",
    StaleReason.NOT_EVALUATED: "not asked for",
}
_IN_WORDS = frozenset({"rules", "variations", "prerequisites", "rollout", "defaultEnabled"})
_NAMES: Mapping[str, str] = {
    "offVariation": "off means",
    "expiresAt": "expires",
    "needsApproval": "needs a second person",
    "isArchived": "archived",
}
# Whose value is a list of words; the others take one.
LISTS = frozenset({Operator.IN, Operator.NOT_IN, Operator.CIDR})
# Whose words may be numbers and booleans, too.
_SCALARS = frozenset({Operator.EQUALS, Operator.NOT_EQUALS, Operator.IN, Operator.NOT_IN, Operator.CONTAINS})
_NUMBERS = frozenset({Operator.GREATER_THAN, Operator.LESS_THAN})
_WORD = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^,]*)\s*(?:,|$)')


def read_value(operator: str, text: str) -> Any:
    """What somebody typed as the value of a condition: words, separated by commas where a list is expected.

    `5` is a number and `true` a boolean; in double quotes anything is text, commas too. What makes no sense is given
    back as it is: the engine says what is wrong with it.
    """
    text = text.strip()
    if operator == Operator.EXISTS:
        return text != "false"
    if operator in _NUMBERS:
        found = number(text)
        return text if found is None else found
    if operator not in _SCALARS and operator != Operator.CIDR:
        return text
    if operator not in LISTS:
        return _scalar(text)
    words = [word.strip() for word in _WORD.findall(text)]
    found_ = [_scalar(word) for word in words if word]
    return [str(each) for each in found_] if operator == Operator.CIDR else found_


def _scalar(word: str) -> Any:
    if word in {"true", "false"}:
        return word == "true"
    if len(word) > 1 and word.startswith('"') and word.endswith('"'):
        try:
            return json.loads(word)
        except ValueError:
            return word
    found = number(word)
    return word if found is None else found


def typed(operator: str, value: Any) -> str:
    """The value of a condition as `read_value` takes it."""
    if operator in LISTS and isinstance(value, list):
        return ", ".join(_word(each, listed=True) for each in value)
    if operator in _SCALARS:
        return _word(value, listed=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _word(value: Any, *, listed: bool) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    plain = value == value.strip() and value and _scalar(value) == value and type(_scalar(value)) is str
    if plain and not value.startswith('"') and not (listed and "," in value):
        return value
    return json.dumps(value, ensure_ascii=False)


def condition(data: Mapping[str, Any]) -> str:
    """`plan is one of pro, growth`"""
    if "segment" in data:
        return f"it is in the segment {data['segment']}"
    name, operator = str(data.get("attribute", "")), str(data.get("operator", ""))
    value = data.get("value", True)
    if operator == Operator.EXISTS:
        return f"{name} is {'there' if value else 'absent'}"
    return f"{name} {OPERATORS.get(operator, operator)} {typed(operator, value) or 'nothing'}"


def conditions(rows: Sequence[Mapping[str, Any]]) -> str:
    return " and ".join(condition(each) for each in rows)


def served(data: Mapping[str, Any]) -> str:
    """What a rule gives: `serve on`, or `split on 30 %, off 70 % by userId`."""
    if data.get("split") is None:
        return f"serve {data.get('variation')}"
    shares = ", ".join(f"{each['variation']} {each['weight']:g} %" for each in data["split"])
    return f"split {shares} by {data.get('contextKey') or 'tenantId'}"


def rule(data: Mapping[str, Any]) -> str:
    """`If plan is one of pro, growth and country is DE, serve on`"""
    return f"If {conditions(data['conditions'])}, {served(data)}"


def rollout(data: Mapping[str, Any] | None) -> str:
    if data is None:
        return "none"
    return f"{data['percentage']:g} % by {data.get('contextKey') or 'tenantId'}"


def definition(data: Mapping[str, Any]) -> dict[str, Any]:
    """A definition, or a part of one, as a history shows it: rules, variations and prerequisites each on a line."""
    found = {_NAMES.get(name, name): each for name, each in data.items() if name not in _IN_WORDS}
    found |= {f"rule {at}": rule(each) for at, each in enumerate(data.get("rules") or [], 1)}
    found |= {f"variation {each['key']}": value(each["value"]) for each in data.get("variations") or []}
    found |= {f"prerequisite {each['key']}": each["variation"] for each in data.get("prerequisites") or []}
    if "rollout" in data:
        found["rollout"] = rollout(data["rollout"])
    if "defaultEnabled" in data:
        found["default"] = "on" if data["defaultEnabled"] else "off"
    return found


def attributes(flags: Sequence[Flag]) -> list[str]:
    """What conditions can name: what is known of every tenant, then what rules named before."""
    used = {
        str(each["attribute"])
        for flag in flags
        for row in flag.rules
        for each in row["conditions"]
        if "attribute" in each
    }
    common = {"userId", "targetingKey", "role", "appVersion", "email", "ip"}
    return [*sorted(FACTS), *sorted((used | common) - FACTS)]


def value(data: Any) -> str:
    """A variation's value: `true`, `"blue"`, `{"limit": 3}`; long ones cut."""
    text = json.dumps(data, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"


def body(flag: Flag) -> dict[str, Any]:
    """All that a PATCH can change, with its present values."""
    found = {name: each for name, each in flag.definition().items() if name not in {"key", "isArchived"}}
    found["expiresAt"] = iso(flag.expires_at) if flag.expires_at else None
    return found
