"""Lists: columns, filters, search, order and pages, without ever counting.

A page reads one row more than it shows, which says whether there is a next one; totals of large tables are for
the home page, where they are remembered.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.db.models import F, QuerySet
from django.db.models.expressions import OrderBy

from apps.backoffice.cells import Cell
from apps.backoffice.seen import Seen

PAGE_SIZE = 50
LAST_PAGE = 200  # beyond 10,000 rows a search or a filter is the faster way, for people and for the database

Rows = QuerySet[Any]
Terms = Sequence[str | OrderBy]


@dataclass(frozen=True, slots=True)
class Order:
    """How a column sorts: each direction names what an index serves, with the key as tie-breaker.

    Attributes:
        where: what must hold for the index to serve (a row beside that each has: an inner join).
    """

    up: Terms
    down: Terms
    where: Mapping[str, Any] = field(default_factory=dict)


def by(
    name: str, *, key: str = "id", nulls_last: bool = False, where: Mapping[str, Any] | None = None
) -> Order:
    """Order by one field; with `nulls_last` rows without a value come last descending, and first ascending."""
    if nulls_last:
        return Order(
            up=[F(name).asc(nulls_first=True), F(key).asc()],
            down=[F(name).desc(nulls_last=True), F(key).desc()],
            where=where or {},
        )
    return Order(up=[name, key], down=[f"-{name}", f"-{key}"], where=where or {})


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        cell: what it shows of a row.
        kind: text, number, id, when, email or wrap; decides how it is set.
        clear_only: sorted only for readers who see clear text: an order by a masked value would tell it.
    """

    name: str
    title: str
    cell: Callable[[Any, Seen], Cell]
    order: Order | None = None
    kind: str = "text"
    clear_only: bool = False

    def sortable(self, seen: Seen) -> bool:
        return self.order is not None and not (self.clear_only and seen.masked)


@dataclass(frozen=True, slots=True)
class Filter:
    """A choice above the list, or an input where `choices` is None.

    `apply(rows, value, seen)` narrows; a value that is none of the choices is as if not given.
    """

    name: str
    title: str
    apply: Callable[[Rows, str, Seen], Rows]
    choices: Callable[[Seen], Sequence[tuple[str, str]]] | None = None
    hint: str = ""
    type: str = "search"


@dataclass(frozen=True, slots=True)
class FilterState:
    filter: Filter
    value: str
    choices: Sequence[tuple[str, str]]
    chooses: bool


@dataclass(frozen=True, slots=True)
class Head:
    """A column's head: where a click leads, and how it is sorted now (`up`, `down` or empty)."""

    column: Column
    url: str | None
    sorted: str

    @property
    def aria(self) -> str:
        return {"up": "ascending", "down": "descending"}.get(self.sorted, "none")


@dataclass(frozen=True, slots=True)
class Line:
    """One row as it is shown."""

    url: str
    cells: Sequence[tuple[Column, Cell]]
    tone: str


@dataclass(frozen=True, slots=True)
class Shape:
    """What a section says of its list."""

    columns: Sequence[Column]
    filters: Sequence[Filter]
    default: str
    search: Callable[[Rows, str, Seen], Rows]
    url: Callable[[Any], str]
    tone: Callable[[Any], str]
    prepare: Callable[[list[Any]], Sequence[Any]]


class Listing:
    """One list as asked for by `?q=…&status=…&sort=-created&page=2`."""

    def __init__(self, shape: Shape, rows: Rows, asked: Mapping[str, str], seen: Seen) -> None:
        self.shape, self.seen = shape, seen
        self.term = asked.get("q", "").strip()[:254].replace("\0", "")
        self.page = _page(asked.get("page", ""))
        self.filters = [self._state(known, asked) for known in shape.filters]
        self.column, self.descending = self._sort(asked.get("sort", ""))
        found = self._narrowed(rows)
        start = (self.page - 1) * PAGE_SIZE
        window = list(found[start : start + PAGE_SIZE + 1])
        self.has_next = len(window) > PAGE_SIZE and self.page < LAST_PAGE
        self.cut_off = len(window) > PAGE_SIZE and self.page == LAST_PAGE
        self.lines = [self._line(row) for row in shape.prepare(window[:PAGE_SIZE])]
        self.first = start + 1
        self.last = start + len(self.lines)

    def _state(self, known: Filter, asked: Mapping[str, str]) -> FilterState:
        value = asked.get(known.name, "").strip()[:254].replace("\0", "")
        choices = known.choices(self.seen) if known.choices is not None else []
        if known.choices is not None and value not in {key for key, _ in choices}:
            value = ""
        return FilterState(known, value, choices, chooses=known.choices is not None)

    def _sort(self, asked: str) -> tuple[Column, bool]:
        sortable = {column.name: column for column in self.shape.columns if column.sortable(self.seen)}
        chosen = asked if asked.lstrip("-") in sortable else self.shape.default
        return sortable[chosen.lstrip("-")], chosen.startswith("-")

    def _narrowed(self, rows: Rows) -> Rows:
        for state in self.filters:
            if state.value:
                rows = state.filter.apply(rows, state.value, self.seen)
        if self.term:
            rows = self.shape.search(rows, self.term, self.seen)
        order = self.column.order
        if order is None:
            return rows
        rows = rows.filter(**order.where) if order.where else rows
        return rows.order_by(*(order.down if self.descending else order.up))

    def _line(self, row: Any) -> Line:
        cells = [(column, column.cell(row, self.seen)) for column in self.shape.columns]
        return Line(url=self.shape.url(row), cells=cells, tone=self.shape.tone(row))

    @property
    def narrowed(self) -> bool:
        return bool(self.term) or any(state.value for state in self.filters)

    @property
    def sort(self) -> str:
        """The sort as the URL names it; empty where it is the default."""
        named = ("-" if self.descending else "") + self.column.name
        return "" if named == self.shape.default else named

    @property
    def heads(self) -> list[Head]:
        return [self._head(column) for column in self.shape.columns]

    def _head(self, column: Column) -> Head:
        if not column.sortable(self.seen):
            return Head(column, None, "")
        now = column is self.column
        # A first click sorts numbers and dates from the top, as their readers want them.
        down = not self.descending if now else column.kind in {"number", "when"}
        state = ("down" if self.descending else "up") if now else ""
        return Head(column, self.url(sort=("-" if down else "") + column.name), state)

    def url(self, *, page: int = 1, sort: str | None = None) -> str:
        """The query string of this list with another page or sort."""
        given = {"q": self.term, **{state.filter.name: state.value for state in self.filters}}
        given["sort"] = self.sort if sort is None else sort
        given["page"] = str(page) if page > 1 else ""
        return "?" + urlencode({key: value for key, value in given.items() if value})

    @property
    def newer(self) -> str | None:
        return self.url(page=self.page - 1) if self.page > 1 else None

    @property
    def older(self) -> str | None:
        return self.url(page=self.page + 1) if self.has_next else None


def _page(text: str) -> int:
    return min(max(int(text), 1), LAST_PAGE) if text.isascii() and text.isdigit() and len(text) < 6 else 1
