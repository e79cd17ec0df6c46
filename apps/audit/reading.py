"""The trail as the verification reads it: one transaction, one instant, a few thousand rows in memory."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from apps.audit.canonical import entry_text
from apps.audit.models import AuditEntry
from apps.core.live import open_link

BATCH = 2000

# The columns that an entry's text is made of; the two commitments come as bytes and stand there in hex.
_PLAIN = (
    "id", "at", "actor_kind", "actor_id", "via", "action", "resource_type", "resource_id", "tenant_id",
    "person_id", "outcome", "metadata", "request_id", "correlation_id",
)  # fmt: skip
_COMMITMENTS = ("actor_commitment", "subject_commitment")
TEXT_COLUMNS = (*_PLAIN, *_COMMITMENTS)

_COLUMNS = f"""
SELECT e.chain, e.seq, e.previous_hash, e.hash, h.seq, h.hash,
       a.salt, a.body, a.person_id, s.salt, s.body, s.person_id,
       {", ".join(f"e.{name}::text" if name == "metadata" else f"e.{name}" for name in TEXT_COLUMNS)},
"""
_BESIDE = """
LEFT JOIN audit_head h ON h.chain = e.chain
LEFT JOIN audit_detail a ON a.entry_id = e.id AND a.part = 'actor'
LEFT JOIN audit_detail s ON s.entry_id = e.id AND s.part = 'subject'
"""
_WHOLE = f"{_COLUMNS} 1, NULL FROM audit_entry e {_BESIDE}"
_SINCE = f"""
WITH first AS (
    SELECT f.chain, f.seq, b.hash
    FROM (SELECT chain, min(seq) AS seq FROM audit_entry WHERE at >= %(since)s GROUP BY chain) f
    LEFT JOIN audit_entry b ON b.chain = f.chain AND b.seq = f.seq - 1
)
{_COLUMNS} first.seq, first.hash
FROM first JOIN audit_entry e ON e.chain = first.chain AND e.seq >= first.seq {_BESIDE}
"""  # noqa: S608  names of columns, no input


@dataclass(frozen=True, slots=True)
class Detail:
    """Personal data of a row, with its salt."""

    salt: bytes
    body: str
    person_id: UUID | None


@dataclass(frozen=True, slots=True)
class StoredRow:
    """One row of the trail as it stands, with the head of its chain.

    Attributes:
        actor, subject: personal details; None where there are none (any longer).
        first_seq: where the reading of the chain began.
        hash_before: of the row before that one, as it is stored; None where there is none.
    """

    chain: str
    seq: int
    previous_hash: bytes
    hash: bytes
    head: tuple[int, bytes] | None
    actor: Detail | None
    subject: Detail | None
    first_seq: int
    hash_before: bytes | None
    fields: dict[str, Any]

    @property
    def text(self) -> str:
        """What the row's hash is taken over."""
        return text_of(self.fields)


class Reader:
    """Reads of one instant, by cursors of the server: some thousand rows in memory, however many there are."""

    def __init__(self, cursor: Callable[[], Any]) -> None:
        self._cursor = cursor

    def stream(self, sql: str, parameters: Mapping[str, Any] | None = None) -> Iterator[tuple[Any, ...]]:
        """The rows of an answer."""
        with self._cursor() as cursor:
            cursor.itersize = BATCH
            cursor.execute(sql, parameters or {})
            while batch := cursor.fetchmany(BATCH):
                yield from batch


@contextmanager
def one_instant() -> Iterator[Reader]:
    """A reader on a connection of its own, whose transaction sees one instant; what is written meanwhile beside it
    stands on Django's. Inside a transaction of somebody else's: that one.

    Raises:
        psycopg.Error: the database is away.
    """
    if connection.in_atomic_block:
        yield Reader(connection.chunked_cursor)
        return
    with open_link() as link, link.transaction():
        link.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # A request's bounds are none for a reading of everything.
        link.execute("SET LOCAL statement_timeout = 0")
        link.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield Reader(lambda: link.cursor(name=f"trail_{uuid4().hex}"))


def text_of(fields: dict[str, Any]) -> str:
    """The canonical text of an entry, from its columns."""
    named = {name: fields[name] for name in _PLAIN}
    named |= {name: bytes(fields[name]).hex() for name in _COMMITMENTS}
    return entry_text(named)


def text_of_entry(entry: AuditEntry) -> str:
    """The canonical text of an entry."""
    return text_of({name: getattr(entry, name) for name in TEXT_COLUMNS})


def stored_rows(
    reader: Reader, *, chain: str | None = None, since: datetime | None = None
) -> Iterator[StoredRow]:
    """The rows by chain and number.

    Args:
        chain: of this chain alone.
        since: of each chain, from the first row of that time on.
    """
    sql = _WHOLE if since is None else _SINCE
    if chain is not None:
        sql += " WHERE e.chain = %(chain)s"
    for row in reader.stream(sql + " ORDER BY e.chain, e.seq", {"chain": chain, "since": since}):
        yield _stored(row)


def _stored(row: tuple[Any, ...]) -> StoredRow:
    name, seq, previous, own, head_seq, head_hash = row[:6]
    fields = dict(zip(TEXT_COLUMNS, row[12:-2], strict=True))
    fields["metadata"] = json.loads(fields["metadata"])
    return StoredRow(
        chain=name,
        seq=seq,
        previous_hash=bytes(previous),
        hash=bytes(own),
        head=None if head_seq is None else (head_seq, bytes(head_hash)),
        actor=_detail(*row[6:9]),
        subject=_detail(*row[9:12]),
        first_seq=row[-2],
        hash_before=None if row[-1] is None else bytes(row[-1]),
        fields=fields,
    )


def _detail(salt: bytes | None, body: str, person_id: UUID | None) -> Detail | None:
    return None if salt is None else Detail(bytes(salt), body, person_id)
