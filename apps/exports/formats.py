"""Rows to bytes."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from tempfile import SpooledTemporaryFile
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from apps.core.clock import iso, now
from apps.core.objectstore.interface import CHUNK
from apps.exports.enums import ExportFormat
from apps.surfaces.kit import tables
from apps.surfaces.kit.rendering import dumps

# Bytes of a ZIP that are kept in memory before it goes to a file of the system's.
_IN_MEMORY = 8 * 1024 * 1024
_OVERLAP = 1024
# Of the manifest of a ZIP; raised when its members change their form.
SCHEMA_VERSION = 1

Member = tuple[str, Iterable[Mapping[str, Any]]]
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


def as_zip(about: Mapping[str, Any], members: Iterable[Member]) -> Iterator[bytes]:
    """A ZIP of JSON files, and `manifest.json` with the count of rows and the SHA-256 of each.

    Args:
        about: stands in the manifest: whose data these are.
        members: name (without ending) and rows of each file.
    """
    listed = []
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as whole:
        with ZipFile(whole, "w", ZIP_DEFLATED) as archive:
            for name, rows in members:
                digest, count = hashlib.sha256(), 0
                with archive.open(f"{name}.json", "w", force_zip64=True) as member:
                    before = b"[\n"
                    for row in rows:
                        piece = before + dumps(row)
                        before, count = b",\n", count + 1
                        digest.update(piece)
                        member.write(piece)
                    end = (b"[" if not count else b"\n") + b"]\n"
                    digest.update(end)
                    member.write(end)
                listed.append({"file": f"{name}.json", "rows": count, "sha256": digest.hexdigest()})
            manifest = {**about, "schema_version": SCHEMA_VERSION, "made_at": iso(now()), "files": listed}
            archive.writestr("manifest.json", dumps(manifest))
        whole.seek(0)
        while chunk := whole.read(CHUNK):
            yield chunk


def texts_of(format_: str, chunks: Iterable[bytes]) -> Iterator[str]:
    """What a file says, in pieces that overlap by more than an address is long; of a ZIP its members."""
    if format_ != ExportFormat.ZIP:
        yield from _pieces(chunks)
        return
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as whole:
        for chunk in chunks:
            whole.write(chunk)
        with ZipFile(whole) as archive:
            for name in archive.namelist():
                with archive.open(name) as member:
                    yield from _pieces(iter(lambda: member.read(CHUNK), b""))


def _pieces(chunks: Iterable[bytes]) -> Iterator[str]:
    kept = b""
    for chunk in chunks:
        piece = kept + chunk
        yield piece.decode(errors="replace")
        kept = piece[-_OVERLAP:]
