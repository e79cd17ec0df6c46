"""From JSON to definitions, strictly: what an operator or a program wrote, checked before anything is kept.

What needs other flags (cycles of prerequisites, unknown ones) is checked in `graph`, with all of them at hand.
"""

import re
from collections.abc import Collection, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from apps.flags.engine.bucketing import BUCKETS, bucketers
from apps.flags.engine.model import (
    Condition,
    Flag,
    FlagType,
    Operator,
    Prerequisite,
    Rollout,
    Rule,
    Segment,
    Split,
    Variation,
)
from apps.flags.engine.operators import Unusable, compile_test

KEY_PATTERN = r"^[a-z][a-z0-9]*([._-][a-z0-9]+)*$"
LONGEST_KEY = 128
MOST_RULES, MOST_CONDITIONS, MOST_VARIATIONS, MOST_PREREQUISITES = 200, 50, 100, 20
LONGEST_ATTRIBUTE = 128

_KEY = re.compile(KEY_PATTERN.rstrip("$") + r"\Z", re.ASCII)
_VARIATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_PER_PERCENT = BUCKETS // 100
Word = TypeVar("Word", FlagType, Operator)
ON, OFF = Variation("on", True), Variation("off", False)


class Malformed(ValueError):
    """A definition makes no sense. `field`: where, like `rules.0.conditions.1.operator`."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(f"{field}: {sentence}")
        self.field = field
        self.sentence = sentence


def is_key(text: Any) -> bool:
    """True for what may be the key of a flag or a segment."""
    return isinstance(text, str) and len(text) <= LONGEST_KEY and _KEY.match(text) is not None


def read_flag(data: Mapping[str, Any], *, segments: Collection[str]) -> Flag:
    """A flag from the fields of its definition, named as in contracts/service.md, section 2.

    Args:
        segments: keys of the segments that there are.

    Raises:
        Malformed: says where and why.
    """
    key = data.get("key")
    if not is_key(key):
        raise Malformed("key", f"A key matches {KEY_PATTERN} and has at most {LONGEST_KEY} characters.")
    type_ = _one_of(FlagType, data.get("type") or FlagType.BOOLEAN, "type")
    variations = _variations(_given(data, "variations"), type_)
    known = [each.key for each in variations]
    off = data.get("offVariation") or ("off" if type_ is FlagType.BOOLEAN else known[-1])
    if off not in known:
        raise Malformed("offVariation", f"There is no variation {_shown(off)}.")
    if type_ is FlagType.BOOLEAN:
        _check_on_and_off(variations, off)
    hash_ = data.get("hash") or "murmur3"
    if hash_ not in bucketers:
        raise Malformed("hash", f"One of {', '.join(bucketers)} is expected.")
    return Flag(
        key=str(key),
        type=type_,
        variations=variations,
        off_variation=off,
        default_enabled=_flag(data.get("defaultEnabled", False), "defaultEnabled"),
        archived=_flag(data.get("isArchived", False), "isArchived"),
        rules=_rules(_given(data, "rules"), known, segments),
        rollout=_rollout(data.get("rollout")),
        prerequisites=_prerequisites(_given(data, "prerequisites"), str(key)),
        hash=hash_,
        salt=_text(data.get("salt") or str(key), "salt", 200),
    )


def read_segment(data: Mapping[str, Any]) -> Segment:
    """A segment from `{key, conditions}`. Its conditions name attributes only: segments don't nest.

    Raises:
        Malformed: says where and why.
    """
    key = data.get("key")
    if not is_key(key):
        raise Malformed("key", f"A key matches {KEY_PATTERN} and has at most {LONGEST_KEY} characters.")
    conditions = _conditions(data.get("conditions"), "conditions", segments=None)
    return Segment(key=str(key), conditions=conditions)


def _given(data: Mapping[str, Any], name: str) -> Any:
    """What was sent; null stands for nothing."""
    found = data.get(name)
    return [] if found is None else found


def _variations(data: Any, type_: FlagType) -> tuple[Variation, ...]:
    rows = _list(data, "variations", MOST_VARIATIONS)
    found: list[Variation] = []
    for number, row in enumerate(rows):
        where = f"variations.{number}"
        fields = _object(row, where, {"key", "value"}, required={"key", "value"})
        key = fields["key"]
        if not isinstance(key, str) or not _VARIATION.fullmatch(key):
            raise Malformed(f"{where}.key", "1 to 64 letters, digits, dots, hyphens or underscores.")
        if any(each.key == key for each in found):
            raise Malformed(f"{where}.key", f"The variation {key!r} stands twice.")
        if not _fits(fields["value"], type_):
            raise Malformed(f"{where}.value", f"The value must be of the flag's type: {type_}.")
        _check_numbers(fields["value"], f"{where}.value")
        found.append(Variation(key, fields["value"]))
    if type_ is FlagType.BOOLEAN:
        found.extend(each for each in (ON, OFF) if each.key not in {had.key for had in found})
        for each in found:
            if each.key in {"on", "off"} and each.value is not (each.key == "on"):
                raise Malformed("variations", "Of a boolean flag `on` is true and `off` is false.")
    if len(found) < 2:
        raise Malformed("variations", "At least two variations are needed: one of them is what off means.")
    return tuple(found)


def _check_on_and_off(variations: tuple[Variation, ...], off: str) -> None:
    """Of a boolean flag `enabled` and `value` mean the same to whoever reads only one of them."""
    if next(each.value for each in variations if each.key == off):
        raise Malformed("offVariation", "Of a boolean flag off is a variation whose value is false.")
    on = next(each for each in variations if each.key != off)
    if not on.value:
        raise Malformed(
            "variations",
            f"Of a boolean flag the first variation that is not off is what on means: {on.key} is false.",
        )


def _check_numbers(value: Any, where: str) -> None:
    """Whole numbers of 64 bits, however deep: others can't be written by what reads and writes flags."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            _check_numbers(inner, where)
    elif type(value) is int and not -(2**63) <= value < 2**63:
        raise Malformed(where, "A whole number has at most 64 bits.")


def _fits(value: Any, type_: FlagType) -> bool:
    if type_ is FlagType.NUMBER:
        return type(value) in {int, float}
    return isinstance(value, {FlagType.BOOLEAN: bool, FlagType.STRING: str, FlagType.OBJECT: dict}[type_])


def _rules(data: Any, variations: Collection[str], segments: Collection[str]) -> tuple[Rule, ...]:
    return tuple(
        _rule(row, f"rules.{number}", variations, segments)
        for number, row in enumerate(_list(data, "rules", MOST_RULES))
    )


def _rule(row: Any, where: str, variations: Collection[str], segments: Collection[str]) -> Rule:
    fields = _object(row, where, {"name", "conditions", "variation", "split", "contextKey"})
    variation, split = fields.get("variation"), fields.get("split")
    if (variation is None) == (split is None):
        raise Malformed(where, "A rule has either a variation or a split.")
    if variation is not None:
        _known(variation, variations, f"{where}.variation")
        if fields.get("contextKey") is not None:
            raise Malformed(f"{where}.contextKey", "Only a split has a context key.")
    return Rule(
        conditions=_conditions(fields.get("conditions"), f"{where}.conditions", segments=segments),
        variation=variation,
        split=() if split is None else _split(split, f"{where}.split", variations),
        context_key=_attribute(fields.get("contextKey") or "tenantId", f"{where}.contextKey"),
        name=_text(fields.get("name") or "", f"{where}.name", 120),
    )


def _conditions(data: Any, where: str, *, segments: Collection[str] | None) -> tuple[Condition, ...]:
    rows = _list(data if data is not None else [], where, MOST_CONDITIONS)
    if not rows:
        raise Malformed(where, "At least one condition is expected.")
    return tuple(_condition(row, f"{where}.{number}", segments) for number, row in enumerate(rows))


def _condition(row: Any, where: str, segments: Collection[str] | None) -> Condition:
    if isinstance(row, Mapping) and "segment" in row:
        fields = _object(row, where, {"segment"})
        if segments is None:
            raise Malformed(where, "A segment's conditions name no other segment.")
        if not isinstance(fields["segment"], str) or fields["segment"] not in segments:
            raise Malformed(f"{where}.segment", f"There is no segment {_shown(fields['segment'])}.")
        return Condition(segment=fields["segment"])
    fields = _object(row, where, {"attribute", "operator", "value"}, required={"attribute", "operator"})
    operator = _one_of(Operator, fields["operator"], f"{where}.operator")
    value = fields.get("value", True if operator is Operator.EXISTS else None)
    _check_numbers(value, f"{where}.value")
    try:
        compile_test(operator, value)
    except Unusable as wrong:
        raise Malformed(f"{where}.value", str(wrong)) from None
    return Condition(
        attribute=_attribute(fields["attribute"], f"{where}.attribute"), operator=operator, value=value
    )


def _split(data: Any, where: str, variations: Collection[str]) -> tuple[Split, ...]:
    found: list[Split] = []
    for number, row in enumerate(_list(data, where, MOST_VARIATIONS)):
        fields = _object(row, f"{where}.{number}", {"variation", "weight"}, required={"variation", "weight"})
        variation = _known(fields["variation"], variations, f"{where}.{number}.variation")
        found.append(Split(variation, _share(fields["weight"], f"{where}.{number}.weight")))
    if sum(each.weight for each in found) != BUCKETS:
        raise Malformed(where, "The weights must add up to 100.")
    return tuple(found)


def _rollout(data: Any) -> Rollout | None:
    if data is None:
        return None
    fields = _object(data, "rollout", {"percentage", "contextKey"}, required={"percentage"})
    return Rollout(
        share=_share(fields["percentage"], "rollout.percentage"),
        context_key=_attribute(fields.get("contextKey") or "tenantId", "rollout.contextKey"),
    )


def _share(value: Any, where: str) -> int:
    """A percentage with at most three decimals, as buckets; exact."""
    if type(value) not in {int, float} or not 0 <= value <= 100:
        raise Malformed(where, "A percentage from 0 to 100 is expected.")
    try:
        exact = Decimal(str(value)) * _PER_PERCENT
    except InvalidOperation:
        exact = Decimal("0.5")
    if exact != int(exact):
        raise Malformed(where, "At most three decimals.")
    return int(exact)


def _prerequisites(data: Any, key: str) -> tuple[Prerequisite, ...]:
    found: list[Prerequisite] = []
    for number, row in enumerate(_list(data, "prerequisites", MOST_PREREQUISITES)):
        where = f"prerequisites.{number}"
        fields = _object(row, where, {"key", "variation"}, required={"key", "variation"})
        if not is_key(fields["key"]) or not isinstance(fields["variation"], str):
            raise Malformed(where, "The key of a flag and one of its variations are expected.")
        if fields["key"] == key:
            raise Malformed(where, f"A flag can't be its own prerequisite: {key} → {key}.")
        if any(each.key == fields["key"] for each in found):
            raise Malformed(where, f"The flag {fields['key']} stands twice.")
        found.append(Prerequisite(fields["key"], fields["variation"]))
    return tuple(found)


def _object(row: Any, where: str, known: set[str], *, required: Collection[str] = ()) -> dict[str, Any]:
    if not isinstance(row, Mapping):
        raise Malformed(where, "A JSON object is expected.")
    for name in row:
        if name not in known:
            raise Malformed(f"{where}.{str(name)[:64]}", "This field is not known here.")
    for name in sorted(required):
        if name not in row:
            raise Malformed(f"{where}.{name}", "This field is required.")
    return dict(row)


def _list(data: Any, where: str, most: int) -> list[Any]:
    if not isinstance(data, list):
        raise Malformed(where, "A list is expected.")
    if len(data) > most:
        raise Malformed(where, f"At most {most} entries.")
    return data


def _known(variation: Any, variations: Collection[str], where: str) -> str:
    if not isinstance(variation, str) or variation not in variations:
        raise Malformed(where, f"There is no variation {_shown(variation)}.")
    return variation


def _one_of(words: type[Word], value: Any, where: str) -> Word:
    try:
        return words(value)
    except ValueError:
        raise Malformed(where, f"One of {', '.join(words)} is expected.") from None


def _attribute(value: Any, where: str) -> str:
    found = _text(value, where, LONGEST_ATTRIBUTE)
    if not found:
        raise Malformed(where, "The name of an attribute is expected.")
    return found


def _text(value: Any, where: str, most: int) -> str:
    if not isinstance(value, str) or len(value) > most:
        raise Malformed(where, f"A string of at most {most} characters is expected.")
    return value


def _flag(value: Any, where: str) -> bool:
    if type(value) is not bool:
        raise Malformed(where, "true or false is expected.")
    return value


def _shown(value: Any) -> str:
    return repr(value)[:80]
