"""Lists in parts."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from psycopg.errors import QueryCanceled

from apps.surfaces.kit.answers import Page
from apps.surfaces.kit.fields import Whole
from apps.surfaces.kit.inputs import Query, validated
from apps.surfaces.kit.ordering import Ordering

COUNT_MILLISECONDS = 500
# PostgreSQL would take more, and a scan of so many rows has no reader.
_FARTHEST = 2**31 - 1

Shape = Callable[[list[Any]], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Request:
    """What a list was asked for, beyond its filters."""

    position: Mapping[str, Any]
    ordering: Ordering | None
    chosen: str


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
            total, estimated = count(rows)
            total = max(total, offset + len(found) + int(has_more)) if estimated else total
        position.update(total=total, limit=limit, offset=offset, has_more=has_more)
        if estimated:
            position["total_is_estimate"] = True
        return Page(rows=shape(found), collection=collection, position=position)


def count(rows: "QuerySet[Any, Any]") -> tuple[int, bool]:
    """How many rows there are, and whether that is an estimate: counting gives up after 500 ms."""
    rows = rows.order_by()
    try:
        with transaction.atomic():
            before = _set_timeout(f"{COUNT_MILLISECONDS}ms")
            total = rows.count()
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
