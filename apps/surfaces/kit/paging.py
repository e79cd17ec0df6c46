"""Lists in parts."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import F, Model, Q, QuerySet
from psycopg.errors import QueryCanceled

from apps.core.counts import kept_count
from apps.surfaces.kit import cursors
from apps.surfaces.kit.answers import Page
from apps.surfaces.kit.fields import Text, Whole
from apps.surfaces.kit.inputs import Query, validated
from apps.surfaces.kit.ordering import Ordering

COUNT_MILLISECONDS = 500
# PostgreSQL would take more, and a scan of so many rows has no reader.
_FARTHEST = 2**31 - 1

Shape = Callable[[list[Any]], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Request:
    """What a list was asked for, beyond its filters.

    Attributes:
        listing: which list it is, with its order and filters: what a cursor is bound to.
        whole: the model, where the list holds every row of a table whose number is kept (apps.core.counts).
    """

    position: Mapping[str, Any]
    ordering: Ordering | None
    chosen: str
    listing: str = ""
    whole: type[Model] | None = None


def listing(surface: str, path: str, chosen: str, filters: Mapping[str, str]) -> str:
    """The name of a list as one caller sees it; filters only as a hash, since they may hold personal data."""
    named = "&".join(f"{name}={filters[name]}" for name in sorted(filters))
    digest = hashlib.sha256(named.encode("utf-8", "replace")).hexdigest()
    return f"{surface}\n{path}\n{chosen}\n{digest}"


class PageStyle(ABC):
    """How a surface cuts its lists."""

    # Query parameters of the style: taken out of the filters.
    query: type[Query]

    def position(self, sent: dict[str, str]) -> dict[str, Any]:
        """Takes its own parameters out of `sent` and validates them.

        Raises:
            Invalid: a number out of bounds.
        """
        own = {name: sent.pop(name) for name in self.query().get_fields() if name in sent}
        return validated(self.query, own)

    @abstractmethod
    def cut(self, rows: "QuerySet[Any, Any]", asked: Request, shape: Shape, collection: str | None) -> Page:
        """One part of `rows`, shaped."""


class _OffsetQuery(Query):
    limit = Whole(min_value=1, max_value=100, default=50, help_text="How many rows, 1 to 100.")
    offset = Whole(min_value=0, max_value=_FARTHEST, default=0, help_text="How many rows to pass over.")


class OffsetPaging(PageStyle):
    """`limit` (1–100, default 50) and `offset`; the total is exact, or says that it is an estimate.

    Source: contracts/platform.md, "Paging".
    """

    query = _OffsetQuery

    def cut(self, rows: "QuerySet[Any, Any]", asked: Request, shape: Shape, collection: str | None) -> Page:
        limit, offset = asked.position["limit"], asked.position["offset"]
        if asked.ordering is not None:
            rows = asked.ordering.apply(rows, asked.chosen)
        found = list(rows[offset : offset + limit + 1])
        has_more = len(found) > limit
        found = found[:limit]
        position: dict[str, Any] = {}
        if not has_more and (found or offset == 0):
            # The end is in sight: the count is known without counting.
            total, estimated = offset + len(found), False
        else:
            total, estimated = (kept_count(asked.whole), False) if asked.whole else count(rows)
            total = max(total, offset + len(found) + int(has_more)) if estimated else total
        position.update(total=total, limit=limit, offset=offset, has_more=has_more)
        if estimated:
            position["total_is_estimate"] = True
        return Page(rows=shape(found), collection=collection, position=position)


class OpenPaging(PageStyle):
    """`limit` (1–100) and `offset`, neither needed: without a limit all rows come, sent while they are read.

    Source: contracts/automation.md, "Tenants".
    """

    BATCH = 500

    class query(Query):  # noqa: N801  named as the attribute that it is
        limit = Whole(
            required=False, min_value=1, max_value=100, help_text="How many rows, 1 to 100; without it all."
        )
        offset = Whole(min_value=0, max_value=_FARTHEST, default=0, help_text="How many rows to pass over.")

    def cut(self, rows: "QuerySet[Any, Any]", asked: Request, shape: Shape, collection: str | None) -> Page:
        limit, offset = asked.position.get("limit"), asked.position["offset"]
        if asked.ordering is not None:
            rows = asked.ordering.apply(rows, asked.chosen)
        total = rows.order_by().count()
        rows = rows[offset : offset + limit] if limit is not None else rows[offset:]
        if limit is not None or total - offset <= self.BATCH:
            return Page(shape(list(rows)), collection, {"total": total})
        return Page((), collection, {"total": total}, batches=self._batches(rows, shape))

    def _batches(self, rows: "QuerySet[Any, Any]", shape: Shape) -> Iterator[Sequence[Any]]:
        batch: list[Any] = []
        for row in rows.iterator(chunk_size=self.BATCH):
            batch.append(row)
            if len(batch) == self.BATCH:
                yield shape(batch)
                batch = []
        if batch:
            yield shape(batch)


class NumberPaging(PageStyle):
    """`page` (from 1) and `pageSize`. Source: contracts/service.md, "Paging"."""

    class query(Query):  # noqa: N801
        page = Whole(
            min_value=1, max_value=_FARTHEST // 100, default=1, help_text="Which page; the first is 1."
        )
        pageSize = Whole(  # noqa: N815  as the contract writes it
            min_value=1, max_value=100, default=20, help_text="How many rows, 1 to 100."
        )

    def cut(self, rows: "QuerySet[Any, Any]", asked: Request, shape: Shape, collection: str | None) -> Page:
        page, size = asked.position["page"], asked.position["pageSize"]
        if asked.ordering is not None:
            rows = asked.ordering.apply(rows, asked.chosen)
        total = rows.order_by().count()
        found = list(rows[(page - 1) * size : page * size])
        return Page(shape(found), collection, {"page": page, "pageSize": size, "total": total})


class CursorPaging(PageStyle):
    """`limit` and `cursor`: pages by the columns of the order, which a growing list neither skips nor repeats.

    `position` of the page has `limit`, `next` (a cursor or None) and `has_more`.
    """

    def __init__(self, *, default: int, most: int, order: Ordering | None = None) -> None:
        """
        Args:
            order: of lists whose action declares none; by default the newest id first.
        """
        self.order = order or Ordering("id", default="-id")
        fields = {
            "limit": Whole(
                min_value=1, max_value=most, default=default, help_text=f"How many rows, 1 to {most}."
            ),
            "cursor": Text(
                required=False, max_length=2000, help_text="`nextCursor` of the page before; opaque."
            ),
        }
        self.query = type("CursorQuery", (Query,), fields)

    def position(self, sent: dict[str, str]) -> dict[str, Any]:
        cursor = sent.pop("cursor", None)
        return {**super().position(sent), "cursor": cursor}

    def cut(self, rows: "QuerySet[Any, Any]", asked: Request, shape: Shape, collection: str | None) -> Page:
        limit, cursor = asked.position["limit"], asked.position["cursor"]
        order, chosen = asked.ordering or self.order, asked.chosen or self.order.default
        rows = order.apply(rows, chosen)
        if cursor is not None:
            rows = rows.filter(_behind(order, chosen, rows, cursors.read(cursor, listing=asked.listing)))
        column = order.column(chosen)
        rows = rows.annotate(cursor_value=F(column), cursor_key=F(order.key))
        found = list(rows[: limit + 1])
        has_more = len(found) > limit
        found = found[:limit]
        next_ = cursors.written(_values(found[-1]), listing=asked.listing) if has_more else None
        return Page(shape(found), collection, {"limit": limit, "next": next_, "has_more": has_more})


def _values(row: Any) -> list[Any]:
    """What a row has in the columns of the order; rows may be objects or dictionaries."""
    if isinstance(row, Mapping):
        return [row["cursor_value"], row["cursor_key"]]
    return [row.cursor_value, row.cursor_key]


def _behind(order: Ordering, chosen: str, rows: "QuerySet[Any, Any]", values: Sequence[Any]) -> Q:
    """The rows that come after one with these values; nulls are last in both directions."""
    column, side = order.column(chosen), "lt" if chosen.startswith("-") else "gt"
    value, key = values
    after_key = Q(**{f"{order.key}__{side}": key})
    if value is None:
        return Q(**{f"{column}__isnull": True}) & after_key
    # Written so that an index over (column, key) serves it.
    behind = Q(**{f"{column}__{side}e": value}) & (Q(**{f"{column}__{side}": value}) | after_key)
    return behind | Q(**{f"{column}__isnull": True}) if order.nullable(rows.model, chosen) else behind


def count(rows: "QuerySet[Any, Any]") -> tuple[int, bool]:
    """How many rows there are, and whether that is an estimate: counting gives up after 500 ms."""
    rows = rows.order_by()
    try:
        with transaction.atomic():
            before = _set_timeout(f"{COUNT_MILLISECONDS}ms")
            total = rows.count()
            if connection.savepoint_ids:
                # A transaction of ours ends here, and the setting with it; one around it goes on.
                _set_timeout(before)
    except OperationalError as late:
        if not isinstance(late.__cause__, QueryCanceled):
            raise
        return _estimate(rows), True
    return total, False


def _set_timeout(value: str) -> str:
    """Sets statement_timeout until the transaction ends, and says what it was."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('statement_timeout'), set_config('statement_timeout', %s, true)", [value]
        )
        row = cursor.fetchone()
    return str(row[0]) if row else "0"


def _estimate(rows: "QuerySet[Any, Any]") -> int:
    sql, values = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", values)
        row = cursor.fetchone()
    return int(row[0][0]["Plan"]["Plan Rows"]) if row else 0
