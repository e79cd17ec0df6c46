"""What a tab is built of. Each block says which template shows it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol

from apps.backoffice.cells import Cell

_NONE = "–"  # how a change says that there was, or is, nothing


@dataclass(frozen=True, slots=True)
class Fact:
    """One line: a label, its value, and where it comes from or what it means."""

    label: str
    value: Cell
    note: Cell = ""


@dataclass(frozen=True, slots=True)
class Facts:
    title: str
    facts: Sequence[Fact]
    wide: bool = False
    template: ClassVar[str] = "backoffice/blocks/facts.html"


@dataclass(frozen=True, slots=True)
class Row:
    cells: Sequence[Cell]
    url: str | None = None
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A small table inside a page. `heads` are `(title, kind)`; kinds: text, number."""

    title: str
    heads: Sequence[tuple[str, str]]
    rows: Sequence[Row]
    empty: str
    note: str = ""
    wide: bool = True
    template: ClassVar[str] = "backoffice/blocks/table.html"


@dataclass(frozen=True, slots=True)
class Meter:
    """Usage against a limit; `limit` None is unlimited, `used` None is not measured yet."""

    label: str
    used: float | int | None
    limit: float | int | None
    note: str = ""

    @property
    def percent(self) -> int | None:
        if self.used is None or not self.limit:
            return None
        return min(100, round(100 * self.used / self.limit))

    @property
    def tone(self) -> str:
        if self.used is None or not self.limit:
            return "grey"
        share = self.used / self.limit
        return "red" if share >= 1 else "orange" if share >= 0.8 else "green"


@dataclass(frozen=True, slots=True)
class Meters:
    title: str
    meters: Sequence[Meter]
    note: str = ""
    wide: bool = True
    template: ClassVar[str] = "backoffice/blocks/meters.html"


@dataclass(frozen=True, slots=True)
class Change:
    key: str
    before: str
    after: str

    @property
    def was_nothing(self) -> bool:
        """Nothing stood there: what was made is shown without an arrow."""
        return self.before == _NONE


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of a timeline, already masked."""

    at: datetime
    action: str
    actor: str
    actor_note: str = ""
    reason: str = ""
    address: str = ""
    outcome: str = "success"
    changes: Sequence[Change] = ()
    url: str | None = None
    target: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """An input of a timeline's filter."""

    name: str
    label: str
    value: str = ""
    type: str = "text"
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    events: Sequence[Event]
    empty: str
    fields: Sequence[Field] = ()
    hidden: Mapping[str, str] = field(default_factory=dict)
    newer: str | None = None
    older: str | None = None
    csv: str | None = None
    title: str = ""
    wide: bool = True
    template: ClassVar[str] = "backoffice/blocks/timeline.html"


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence that stands out: what will happen, what is wrong."""

    text: str
    tone: str = "blue"
    icon: str = "info"
    wide: bool = True
    template: ClassVar[str] = "backoffice/blocks/note.html"


@dataclass(frozen=True, slots=True)
class Code:
    """Text as it is: a stack trace, a JSON document."""

    title: str
    text: str
    wide: bool = True
    template: ClassVar[str] = "backoffice/blocks/code.html"


class Block(Protocol):
    """One piece of a tab: any of these, or one of an app's own with a template that gets it as `block`."""

    @property
    def template(self) -> str: ...


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Key by key what was and what is, nested ones by path; what did not change is left out."""
    was, now = _flat(before), _flat(after)
    keys = [*was, *(key for key in now if key not in was)]
    pairs = [Change(key, _shown(was.get(key)), _shown(now.get(key))) for key in keys]
    return [pair for pair in pairs if pair.before != pair.after]


def _flat(values: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        here = f"{path}{key}"
        found |= _flat(value, f"{here}.") if isinstance(value, Mapping) else {here: value}
    return found


def _shown(value: Any) -> str:
    if value is None:
        return _NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_shown, value)) or "none"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
