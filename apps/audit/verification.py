"""Recomputes the trail: order, content, personal details and head of each chain, in one pass."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from apps.audit.canonical import commitment, entry_hash
from apps.audit.reading import Detail, Reader, StoredRow, one_instant, stored_rows
from apps.core import ids

GENESIS = bytes(32)


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain is wrong first."""

    chain: str
    seq: int
    what: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    chain: str
    rows: int
    broken: Break | None


def verify_all(chain: str | None = None, *, since: datetime | None = None) -> Iterator[ChainReport]:
    """Every chain that has a row or a head, or the one named. Needs the memory of some thousand rows.

    Args:
        since: of each chain only the rows from the first of that time on, beginning with the hash that is stored of
            the row before. What stood before is taken as it is.
    """
    with one_instant() as reader:
        yield from verify_read(reader, chain, since=since)


def verify_read(
    reader: Reader, chain: str | None = None, *, since: datetime | None = None
) -> Iterator[ChainReport]:
    """As `verify_all`, by a reader that other reads of the same instant share."""
    odd = _odd_details(reader, chain)
    rows = stored_rows(reader, chain=chain, since=since)
    for name, own in groupby(rows, key=lambda row: row.chain):
        yield _verified(name, own, odd)
    yield from _without_rows(reader, chain, since)


def _verified(chain: str, rows: Iterator[StoredRow], odd: dict[str, int]) -> ChainReport:
    expected, previous, counted = 0, GENESIS, 0
    last: StoredRow | None = None
    for row in rows:
        if last is None:
            expected, previous = row.first_seq, row.hash_before or GENESIS
        what = _wrong(row, expected, previous)
        if what is None and odd.get(chain) == row.seq:
            what = "it has a personal detail of no known kind"
        if what is not None:
            # Of a row that is missing, its own number; else that of the row that is wrong.
            return ChainReport(chain, counted, Break(chain, min(row.seq, expected), what))
        last, expected, previous, counted = row, expected + 1, row.hash, counted + 1
    if last is None or last.head != (last.seq, last.hash):
        return ChainReport(chain, counted, Break(chain, expected, "the head names another last row"))
    return ChainReport(chain, counted, None)


def _wrong(row: StoredRow, expected: int, previous: bytes) -> str | None:
    """What is wrong with a row, given the number and the hash that it should follow."""
    if row.seq != expected:
        return "the row is missing" if row.seq > expected else "its number is none"
    if row.previous_hash != previous:
        return "it does not follow the row before it"
    if entry_hash(previous, row.chain, row.seq, row.text) != row.hash:
        return "its content was changed"
    fields = row.fields
    if not _belongs(row.actor, fields["actor_commitment"], _person_of(fields["actor_id"])):
        return "the personal detail of its actor was changed"
    if not _belongs(row.subject, fields["subject_commitment"], fields["person_id"]):
        return "the personal detail of its subject was changed"
    return None


def _belongs(detail: Detail | None, kept: bytes, person_id: Any) -> bool:
    """A detail that was removed belongs: that is how a person is forgotten."""
    if detail is None:
        return True
    return detail.person_id == person_id and commitment(detail.salt, detail.body) == bytes(kept)


def _person_of(actor_id: str) -> Any:
    """The person whose public id acted; None for machines, and for the nil id, which is nobody's."""
    found = ids.parse_or_none(ids.USER, actor_id)
    return found if found is not None and found.int else None


_ODD = """
SELECT e.chain, min(e.seq) FROM audit_detail d JOIN audit_entry e ON e.id = d.entry_id
WHERE d.part NOT IN ('actor', 'subject') GROUP BY e.chain
"""
_HEADS_WITHOUT_ROWS = """
SELECT h.chain, h.seq, coalesce(l.seq, 0) FROM audit_head h LEFT JOIN LATERAL (
    SELECT e.seq, e.hash FROM audit_entry e WHERE e.chain = h.chain ORDER BY e.seq DESC LIMIT 1
) l ON true
WHERE (l.seq IS DISTINCT FROM h.seq OR l.hash IS DISTINCT FROM h.hash)
  AND NOT EXISTS (
    SELECT 1 FROM audit_entry e
    WHERE e.chain = h.chain AND (%(since)s::timestamptz IS NULL OR e.at >= %(since)s))
  AND (%(chain)s::text IS NULL OR h.chain = %(chain)s)
ORDER BY h.chain
"""


def _odd_details(reader: Reader, chain: str | None) -> dict[str, int]:
    found = dict(reader.stream(_ODD))
    return found if chain is None else {name: seq for name, seq in found.items() if name == chain}


def _without_rows(reader: Reader, chain: str | None, since: datetime | None) -> Iterator[ChainReport]:
    """Heads of chains in which nothing was read, and whose last row is not the one that the head names."""
    for name, _head, last in reader.stream(_HEADS_WITHOUT_ROWS, {"chain": chain, "since": since}):
        yield ChainReport(name, 0, Break(name, last + 1, "the head names another last row"))
