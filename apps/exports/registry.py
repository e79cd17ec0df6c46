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
from apps.exports.enums import ExportFormat
from apps.exports.errors import ExportParamsInvalid

Row = Mapping[str, Any]
Rows = Callable[[Principal, Mapping[str, Any]], Iterator[Row]]
Check = Callable[[Mapping[str, Any]], dict[str, Any]]


def no_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """For a kind that takes none.

    Raises:
        ExportParamsInvalid: there are some.
    """
    if params:
        raise ExportParamsInvalid(details={name: ["This parameter is not known."] for name in params})
    return {}


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that can be exported.

    Attributes:
        permission: of apps.core.access: what the requester must hold, when asking and when downloading.
        rows: gives the rows that the principal may see, masked for those who read masked; in pages, not in one query.
        params: checks the parameters and gives them as JSON values; the job hands them to `rows` as they are.
        count: how many rows there are about to be, for the progress; None: unknown.
        limit: rows at most, below the knob `exports.max_rows`.
    """

    name: str
    title: str
    permission: str
    columns: Sequence[str]
    rows: Rows
    params: Check
    count: Callable[[Principal, Mapping[str, Any]], int] | None
    formats: frozenset[ExportFormat]
    limit: int | None


_kinds: dict[str, Kind] = {}


def exportable(
    name: str,
    *,
    title: str,
    permission: str,
    columns: Sequence[str],
    rows: Rows,
    params: Check = no_params,
    count: Callable[[Principal, Mapping[str, Any]], int] | None = None,
    formats: Sequence[ExportFormat] = (ExportFormat.CSV, ExportFormat.JSON),
    limit: int | None = None,
) -> Kind:
    """Registers a kind.

    Raises:
        ValueError: the name is taken.
    """
    if name in _kinds:
        raise ValueError(f"the export {name!r} is registered already")
    kind = Kind(name, title, permission, tuple(columns), rows, params, count, frozenset(formats), limit)
    _kinds[name] = kind
    return kind


def find_kind(name: str) -> Kind | None:
    return _kinds.get(name)


def kinds() -> list[Kind]:
    return sorted(_kinds.values(), key=lambda kind: kind.name)
