"""What can be exported: kinds that this app and apps above register in their `apps.py`.

exportable(
    "users",
    title="Users",
    permission="users.read",
    columns=["id", "email", …],
    rows=user_rows,            # (principal, params) -> rows, beginning at visible_to(principal)
    params=checked_filters,    # (params) -> params, refusing unknown ones
)
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.core.principal import Principal
from apps.exports.enums import TABLES, ExportFormat
from apps.exports.errors import ExportParamsInvalid

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Input:
    """A parameter as a form asks for it. `type`: text, date (sent as the beginning of that day in UTC), or choice."""

    name: str
    label: str
    type: str = "text"
    choices: Sequence[str] = ()
    hint: str = ""


Rows = Callable[[Principal, Mapping[str, Any]], Iterator[Row]]
Members = Callable[[Principal, Mapping[str, Any]], Iterator[tuple[str, Iterator[Row]]]]
Check = Callable[[Mapping[str, Any]], dict[str, Any]]


def no_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """For a kind that takes none.

    Raises:
        ExportParamsInvalid: there are some.
    """
    if params:
        raise ExportParamsInvalid(details={name: ["This parameter is not known."] for name in params})
    return {}


def no_rows(principal: Principal, params: Mapping[str, Any]) -> Iterator[Row]:
    """For a kind whose file has members."""
    del principal, params
    return iter(())


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that can be exported.

    Attributes:
        permission: of apps.core.access: what the requester must hold, when asking and when downloading.
        rows: gives the rows that the principal may see, masked for those who read masked; in pages, not in one query.
        params: checks the parameters and gives them as JSON values; the job hands them to `rows` as they are.
        count: how many rows there are about to be, for the progress; None: unknown.
        limit: rows at most, below the knob `exports.max_rows`; what has members is never cut.
        inputs: the parameters that a form offers.
        members: for a ZIP, in the place of `rows`: the files in it, each with its name and rows.
        about: for a ZIP: what its manifest says of it.
    """

    name: str
    title: str
    permission: str
    columns: Sequence[str] = ()
    rows: Rows = no_rows
    params: Check = no_params
    count: Callable[[Principal, Mapping[str, Any]], int] | None = None
    formats: frozenset[ExportFormat] = TABLES
    limit: int | None = None
    inputs: Sequence[Input] = ()
    members: Members | None = None
    about: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict


_kinds: dict[str, Kind] = {}


def exportable(kind: Kind) -> Kind:
    """Registers a kind.

    Raises:
        ValueError: the name is taken.
    """
    if kind.name in _kinds:
        raise ValueError(f"the export {kind.name!r} is registered already")
    _kinds[kind.name] = kind
    return kind


def find_kind(name: str) -> Kind | None:
    return _kinds.get(name)


def kinds() -> list[Kind]:
    return sorted(_kinds.values(), key=lambda kind: kind.name)
