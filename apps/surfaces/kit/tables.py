"""Tables as CSV, row by row. A spreadsheet must not run what somebody typed into a name."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from apps.core.clock import iso
from apps.surfaces.kit.rendering import dumps

# What starts a formula, in ASCII and in full width, and what a cell is split or trimmed by before.
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_BATCH = 200


def harmless(text: str) -> str:
    """The text, quoted with an apostrophe where a spreadsheet would run it."""
    return f"'{text}" if text.lstrip(" \u3000\u00a0").startswith(_DANGEROUS) else text


def cell(value: Any) -> str:
    """A value as it stands in a cell: instants as in JSON, objects and lists as JSON text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Mapping | list | tuple):
        return harmless(dumps(value).decode())
    return harmless(str(value))


def encoded(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """The lines of a table (RFC 4180, UTF-8), a few hundred rows at a time."""
    page = io.StringIO()
    writer = csv.writer(page)
    writer.writerow(columns)
    for number, row in enumerate(rows, start=1):
        writer.writerow([cell(row.get(column)) for column in columns])
        if number % _BATCH == 0:
            yield page.getvalue().encode()
            page.seek(0)
            page.truncate()
    yield page.getvalue().encode()
