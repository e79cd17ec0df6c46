"""What a handler gives back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """A success.

    Attributes:
        data: JSON values, datetimes, Decimals, UUIDs, enums; None with status 204.
        version: the resource's version; becomes `ETag: "v<n>"`.
    """

    data: Any
    status: int = 200
    version: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A success that was written before anybody asked; 304 for a caller who has it (`If-None-Match`).

    Attributes:
        body: JSON in the surface's shape.
        etag: of this body, with its quotes; None where nobody is expected to have it.
    """

    body: bytes
    etag: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list. Made by `call.page(…)`.

    Attributes:
        collection: the name under which the rows stand; None where they are the answer itself.
        position: the numbers beside the rows, in the words of the surface (`total`, `limit`, …).
        batches: rows that come instead, read while they are sent; for lists without a limit.
    """

    rows: Sequence[Any]
    collection: str | None
    position: Mapping[str, Any]
    batches: Iterable[Sequence[Any]] | None = None


@dataclass(frozen=True, slots=True)
class Stream:
    """Bytes that are made while they are sent."""

    chunks: Iterable[bytes]
    content_type: str
    filename: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Csv:
    """A table as CSV, sent row by row; cells that a spreadsheet would run are made harmless."""

    filename: str
    columns: Sequence[str]
    rows: Iterable[Mapping[str, Any]]


Result = Answer | Prepared | Page | Stream | Csv
