"""A flag's definition as a form holds it: texts by path, which rows can be added, moved and removed in.

The names of inputs are the paths of the definition (`rules.0.conditions.1.value`), so that what the service says of a
path is shown at its input.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from apps.flags.admin import words
from apps.flags.admin.patches import parsed
from apps.flags.engine.operators import number

SEGMENT = "segment"
SPLIT = "*"  # no variation can be called so
MOST_INPUTS = 700  # of rules in a form: Django takes 1,000 in all, and beyond, JSON is the better way
_WHEN = "%Y-%m-%dT%H:%M"

Sent: TypeAlias = Mapping[str, str]


@dataclass(slots=True)
class Condition:
    """`operator` is one of the engine's, or `segment`; then `value` is its key."""

    attribute: str = ""
    operator: str = "equals"
    value: str = ""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Condition":
        if "segment" in data:
            return cls("", SEGMENT, str(data["segment"]))
        operator = str(data["operator"])
        return cls(str(data["attribute"]), operator, words.typed(operator, data.get("value", True)))

    @classmethod
    def sent(cls, sent: Sent, at: str) -> "Condition":
        return cls(*(sent.get(f"{at}.{name}", "").strip() for name in ("attribute", "operator", "value")))

    def data(self) -> dict[str, Any]:
        if self.operator == SEGMENT:
            return {"segment": self.value}
        value = words.read_value(self.operator, self.value)
        return {"attribute": self.attribute, "operator": self.operator, "value": value}


def conditions_sent(sent: Sent, at: str) -> list[Condition]:
    """The conditions that a form sent under a path, in order."""
    return [Condition.sent(sent, f"{at}.{number_}") for number_ in _numbers(sent, at)]


@dataclass(slots=True)
class Share:
    variation: str
    weight: str = ""


@dataclass(slots=True)
class Rule:
    """`serve` is a variation, or `split`. Shares keep their order: it decides who is in which."""

    name: str = ""
    conditions: list[Condition] = field(default_factory=lambda: [Condition()])
    serve: str = ""
    shares: list[Share] = field(default_factory=list)
    context_key: str = ""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Rule":
        split = data.get("split")
        return cls(
            name=data.get("name") or "",
            conditions=[Condition.of(each) for each in data["conditions"]],
            serve=SPLIT if split is not None else str(data["variation"]),
            shares=[Share(each["variation"], _plain(each["weight"])) for each in split or []],
            context_key=data.get("contextKey") or "",
        )

    @classmethod
    def sent(cls, sent: Sent, at: str) -> "Rule":
        shares = [
            Share(sent.get(f"{at}.split.{n}.variation", ""), sent.get(f"{at}.split.{n}.weight", "").strip())
            for n in _numbers(sent, f"{at}.split")
        ]
        return cls(
            name=sent.get(f"{at}.name", "").strip(),
            conditions=conditions_sent(sent, f"{at}.conditions"),
            serve=sent.get(f"{at}.serve", ""),
            shares=shares,
            context_key=sent.get(f"{at}.contextKey", "").strip(),
        )

    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = {"conditions": [each.data() for each in self.conditions]}
        if self.name:
            found = {"name": self.name, **found}
        if self.serve != SPLIT:
            return {**found, "variation": self.serve}
        given = [each for each in self.shares if each.weight]
        found["split"] = [{"variation": each.variation, "weight": _percentage(each.weight)} for each in given]
        if self.context_key:
            found["contextKey"] = self.context_key
        return found


@dataclass(slots=True)
class Pair:
    """A variation (key and value) or a prerequisite (flag and variation)."""

    key: str = ""
    value: str = ""


@dataclass(slots=True)
class Draft:
    """`version` is that of the definition which the form was made from."""

    version: int
    type: str
    description: str = ""
    owner: str = ""
    tags: str = ""
    expires_at: str = ""
    needs_approval: bool = False
    default_enabled: bool = False
    off_variation: str = ""
    variations: list[Pair] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    percentage: str = ""
    rollout_key: str = ""
    prerequisites: list[Pair] = field(default_factory=list)

    @classmethod
    def of(cls, version: int, data: Mapping[str, Any]) -> "Draft":
        """From a definition (apps.flags.models.Flag.definition)."""
        rollout = data["rollout"] or {}
        type_ = str(data["type"])
        return cls(
            version=version,
            type=type_,
            description=data["description"],
            owner=data["owner"],
            tags=", ".join(data["tags"]),
            expires_at=_when(data["expiresAt"]),
            needs_approval=data["needsApproval"],
            default_enabled=data["defaultEnabled"],
            off_variation=data["offVariation"],
            variations=[Pair(each["key"], _value(type_, each["value"])) for each in data["variations"]],
            rules=[Rule.of(each) for each in data["rules"]],
            percentage=_plain(rollout["percentage"]) if rollout else "",
            rollout_key=rollout.get("contextKey") or "",
            prerequisites=[Pair(each["key"], each["variation"]) for each in data["prerequisites"]],
        ).fitted()

    @classmethod
    def sent(cls, sent: Sent, type_: str) -> "Draft":
        """From what the form sent."""

        def pairs(at: str, second: str) -> list[Pair]:
            return [
                Pair(sent.get(f"{at}.{n}.key", "").strip(), sent.get(f"{at}.{n}.{second}", "").strip())
                for n in _numbers(sent, at)
            ]

        sent = {name: text.replace("\0", "") for name, text in sent.items()}
        version = sent.get("version", "")
        return cls(
            version=int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0,
            type=type_,
            description=sent.get("description", "").strip(),
            owner=sent.get("owner", "").strip(),
            tags=", ".join(_tags(sent.get("tags", ""))),
            expires_at=sent.get("expiresAt", "").strip(),
            needs_approval=sent.get("needsApproval") == "yes",
            default_enabled=sent.get("defaultEnabled") == "yes",
            off_variation=sent.get("offVariation", ""),
            variations=pairs("variations", "value"),
            rules=[Rule.sent(sent, f"rules.{n}") for n in _numbers(sent, "rules")],
            percentage=sent.get("rollout.percentage", "").strip(),
            rollout_key=sent.get("rollout.contextKey", "").strip(),
            prerequisites=pairs("prerequisites", "variation"),
        ).fitted()

    def fitted(self) -> "Draft":
        """Each rule with a share for every variation that there is, in the order that it had."""
        known = [each.key for each in self.variations if each.key]
        for rule in self.rules:
            kept = [each for each in rule.shares if each.variation in known]
            had = {each.variation for each in kept}
            rule.shares = [*kept, *(Share(key) for key in known if key not in had)]
        return self

    def parts(self) -> dict[str, Any]:
        """By the names of a PATCH: what each of its fields is made of, to tell what somebody changed."""
        return {
            "description": self.description,
            "owner": self.owner,
            "tags": self.tags,
            "expiresAt": self.expires_at,
            "needsApproval": self.needs_approval,
            "defaultEnabled": self.default_enabled,
            "offVariation": self.off_variation,
            "variations": self.variations,
            "rules": self.rules,
            "rollout": (self.percentage, self.rollout_key),
            "prerequisites": self.prerequisites,
        }

    def changed(self, base: "Draft") -> list[str]:
        theirs = base.parts()
        return [name for name, part in self.parts().items() if part != theirs[name]]

    def over(self, newer: "Draft", base: "Draft") -> "Draft":
        """What was changed here since `base`, put over a newer version."""
        mine = set(self.changed(base))
        for name, columns in _COLUMNS.items():
            if name in mine:
                for column in columns:
                    setattr(newer, column, getattr(self, column))
        return newer.fitted()

    def fields(self, base: "Draft") -> dict[str, Any]:
        """The body of a PATCH: what differs from `base`, as JSON."""
        return {name: self._json(name) for name in self.changed(base)}

    def _json(self, name: str) -> Any:
        if name == "tags":
            return _tags(self.tags)
        if name == "expiresAt":
            return _moment(self.expires_at)
        if name == "variations":
            return [{"key": each.key, "value": read(self.type, each.value)} for each in self.variations]
        if name == "rules":
            return [each.data() for each in self.rules]
        if name == "prerequisites":
            return [{"key": each.key, "variation": each.value} for each in self.prerequisites]
        if name == "rollout":
            if not self.percentage:
                return None
            found = {"percentage": _percentage(self.percentage)}
            return {**found, "contextKey": self.rollout_key} if self.rollout_key else found
        return self.parts()[name]


_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "description": ("description",),
    "owner": ("owner",),
    "tags": ("tags",),
    "expiresAt": ("expires_at",),
    "needsApproval": ("needs_approval",),
    "defaultEnabled": ("default_enabled",),
    "offVariation": ("off_variation",),
    "variations": ("variations",),
    "rules": ("rules",),
    "rollout": ("percentage", "rollout_key"),
    "prerequisites": ("prerequisites",),
}
_MOVE = re.compile(r"(rules)\.(\d{1,3})\.(up|down)")
_REMOVE = re.compile(r"(rules|variations|prerequisites|rules\.(\d{1,3})\.conditions)\.(\d{1,3})\.remove")
_ADD = re.compile(r"(rules|variations|prerequisites|rules\.(\d{1,3})\.conditions)\.add")


def arrange(draft: Draft, order: str) -> str | None:
    """Adds, moves or removes a row as a button says (`rules.2.up`). Answers the path of the input that has the focus
    then; None where the order is none of these."""
    if found := _MOVE.fullmatch(order):
        at, to = int(found[2]), int(found[2]) + (-1 if found[3] == "up" else 1)
        if at < len(draft.rules) and 0 <= to < len(draft.rules):
            draft.rules[at], draft.rules[to] = draft.rules[to], draft.rules[at]
        return f"rules.{min(max(to, 0), len(draft.rules) - 1)}.name"
    if found := _ADD.fullmatch(order):
        return _added(draft, found[1], found[2])
    if found := _REMOVE.fullmatch(order):
        rows, at = _rows(draft, found[1], found[2]), int(found[3])
        if at < len(rows):
            del rows[at]
        draft.fitted()
        return f"{found[1]}.add"
    return None


def _rows(draft: Draft, name: str, rule: str | None) -> list[Any]:
    if rule is not None:
        return draft.rules[int(rule)].conditions if int(rule) < len(draft.rules) else []
    found: list[Any] = getattr(draft, name, [])
    return found


def _added(draft: Draft, name: str, rule: str | None) -> str:
    rows = _rows(draft, name, rule)
    if name == "rules":
        on = next((each.key for each in draft.variations if each.key != draft.off_variation), "")
        rows.append(Rule(serve=on))
        draft.fitted()
        return f"rules.{len(rows) - 1}.conditions.0.attribute"
    rows.append(Condition() if rule is not None else Pair(value="on" if name == "prerequisites" else ""))
    return f"{name}.{len(rows) - 1}.{'attribute' if rule is not None else 'key'}"


def _numbers(sent: Sent, at: str) -> list[int]:
    """The numbers of the rows that were sent under a path, in order."""
    found = set()
    for name in sent:
        if name.startswith(f"{at}."):
            text = name[len(at) + 1 :].partition(".")[0]
            if text.isascii() and text.isdigit() and len(text) < 4:
                found.add(int(text))
    return sorted(found)


def _tags(text: str) -> list[str]:
    return list(dict.fromkeys(word for each in text.split(",") if (word := each.strip())))


def _plain(share: float) -> str:
    return f"{share:g}" if share == round(share, 3) else str(share)


def _percentage(text: str) -> Any:
    found = number(text.replace(",", ".").removesuffix("%").strip())
    return text if found is None else found


def _when(text: str | None) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).strftime(_WHEN) if text else ""


def _moment(text: str) -> Any:
    """An instant as the service takes it; what is none is given on, and refused there."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).isoformat()
    except ValueError:
        return text


def _value(type_: str, value: Any) -> str:
    return value if type_ == "string" else json.dumps(value, ensure_ascii=False)


def read(type_: str, text: str) -> Any:
    """The value of a variation as it was typed; what does not fit the type is given on, and refused by the engine."""
    if type_ == "string":
        return text
    try:
        return parsed(text)
    except ValueError:
        return text
