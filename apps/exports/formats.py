"""Rows to bytes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from apps.exports.enums import ExportFormat
from apps.surfaces.kit import tables
from apps.surfaces.kit.rendering import dumps

Writer = Callable[[Sequence[str], Iterable[Mapping[str, Any]]], Iterator[bytes]]


def as_json(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """One array of objects, an object a line."""
    before = b"[\n"
    for row in rows:
        yield before + dumps({column: row.get(column) for column in columns})
        before = b",\n"
    yield (b"[" if before == b"[\n" else b"\n") + b"]\n"


WRITERS: dict[ExportFormat, tuple[str, Writer]] = {
    ExportFormat.CSV: ("text/csv; charset=utf-8", tables.encoded),
    ExportFormat.JSON: ("application/json", as_json),
}
