"""What an owner of the database may do to the trail; each function does one thing of a kind, where `draw` says."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from hypothesis import assume
from hypothesis import strategies as st
from psycopg import sql

from apps.audit.canonical import commitment, entry_hash
from apps.audit.reading import TEXT_COLUMNS, text_of
from apps.core.ids import new_id

Link = psycopg.Connection[tuple[Any, ...]]
COLUMNS = ("chain", "seq", "previous_hash", "hash", *TEXT_COLUMNS)


@dataclass(frozen=True)
class Trail:
    """Chains and how long they are; of each, how many rows the newest anchor covers."""

    lengths: dict[str, int]
    anchored: dict[str, int]


# --- what an owner may do: each takes a link, the trail and hypothesis' hand; None where it could not be done ---

Draw = Callable[[st.SearchStrategy[Any]], Any]


def _place(trail: Trail, draw: Draw) -> tuple[str, int]:
    chain = draw(st.sampled_from(sorted(trail.lengths)))
    return chain, draw(st.integers(1, trail.lengths[chain]))


def stored(link: Link, chain: str, seq: int) -> dict[str, Any]:
    names = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
    found = link.execute(
        sql.SQL("SELECT {} FROM audit_entry WHERE chain = %s AND seq = %s").format(names), [chain, seq]
    ).fetchone()
    assert found is not None
    return dict(zip(COLUMNS, found, strict=True))


def insert(link: Link, row: dict[str, Any]) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
    marks = sql.SQL(", ").join([sql.Placeholder()] * len(COLUMNS))
    values = [json.dumps(row[name]) if name == "metadata" else row[name] for name in COLUMNS]
    link.execute(sql.SQL("INSERT INTO audit_entry ({}) VALUES ({})").format(names, marks), values)


def _delete_rows(link: Link, chain: str, first: int, last: int) -> None:
    asked = [chain, first, last]
    link.execute(
        "DELETE FROM audit_detail USING audit_entry e WHERE e.id = entry_id AND chain = %s AND seq BETWEEN %s AND %s",
        asked,
    )
    link.execute("DELETE FROM audit_entry WHERE chain = %s AND seq BETWEEN %s AND %s", asked)


def _move(link: Link, chain: str, seq: int, by: int) -> None:
    link.execute("UPDATE audit_entry SET seq = seq + %s WHERE chain = %s AND seq = %s", [by, chain, seq])


def _mend_head(link: Link, chain: str) -> None:
    link.execute("DELETE FROM audit_head WHERE chain = %s", [chain])
    link.execute(
        "INSERT INTO audit_head SELECT chain, seq, hash FROM audit_entry WHERE chain = %s ORDER BY seq DESC LIMIT 1",
        [chain],
    )


def rehash(link: Link, chain: str, first: int) -> None:
    """Writes the hashes of a chain anew from a row on, and its head: the chain then shows nothing."""
    before = stored(link, chain, first - 1)["hash"] if first > 1 else bytes(32)
    rows = link.execute(
        "SELECT seq FROM audit_entry WHERE chain = %s AND seq >= %s ORDER BY seq", [chain, first]
    )
    for (seq,) in rows.fetchall():
        own = entry_hash(before, chain, seq, text_of(stored(link, chain, seq)))
        link.execute(
            "UPDATE audit_entry SET previous_hash = %s, hash = %s WHERE chain = %s AND seq = %s",
            [before, own, chain, seq],
        )
        before = own
    _mend_head(link, chain)


_EDITS: dict[str, str] = {
    "id": "gen_random_uuid()",
    "at": "at + interval '1 microsecond'",
    "actor_kind": "'robot'",
    "actor_id": "'usr_01JD0000000000000000000000'",
    "via": "via || 'x'",
    "action": "'thing.keep'",
    "resource_type": "'other'",
    "resource_id": "resource_id || '0'",
    "tenant_id": "gen_random_uuid()",
    "person_id": "NULL",
    "outcome": "'denied'",
    "metadata": "metadata || '{\"more\": 1}'",
    "request_id": "request_id || 'x'",
    "correlation_id": "correlation_id || 'x'",
    "actor_commitment": "sha256('x')",
    "subject_commitment": "sha256('x')",
    "previous_hash": "sha256('x')",
    "hash": "sha256('x')",
    "seq": "seq + 1000",
    "chain": "'tenant:00000000-0000-0000-0000-000000000000'",
}


def edit_a_column(link: Link, trail: Trail, draw: Draw) -> None:
    chain, seq = _place(trail, draw)
    name = draw(st.sampled_from(sorted(_EDITS)))
    statement = sql.SQL("UPDATE audit_entry SET {} = {} WHERE chain = %s AND seq = %s")
    link.execute(statement.format(sql.Identifier(name), sql.SQL(_EDITS[name])), [chain, seq])


_DETAIL_EDITS = {
    "salt": "substring(sha256('x') from 1 for 16)",
    "body": "replace(body, '\"', '''')",
    "person_id": "gen_random_uuid()",
    "person_id to nobody": "NULL",
    "part": "'other'",
}


def edit_a_detail(link: Link, trail: Trail, draw: Draw) -> None:
    chain, seq = _place(trail, draw)
    name = draw(st.sampled_from(sorted(_DETAIL_EDITS)))
    part = draw(st.sampled_from(["actor", "subject"]))
    statement = sql.SQL(
        "UPDATE audit_detail SET {} = {} FROM audit_entry e "
        "WHERE e.id = entry_id AND chain = %s AND seq = %s AND part = %s"
    )
    column = sql.Identifier(name.partition(" ")[0])
    link.execute(statement.format(column, sql.SQL(_DETAIL_EDITS[name])), [chain, seq, part])


def delete_a_row(link: Link, trail: Trail, draw: Draw) -> None:
    chain, seq = _place(trail, draw)
    _delete_rows(link, chain, seq, seq)


def delete_a_row_and_close_the_gap(link: Link, trail: Trail, draw: Draw) -> None:
    chain, seq = _place(trail, draw)
    assume(seq < trail.lengths[chain])
    _delete_rows(link, chain, seq, seq)
    for number in range(seq + 1, trail.lengths[chain] + 1):
        _move(link, chain, number, -1)
    _mend_head(link, chain)


def _swap(link: Link, one: tuple[str, int], other: tuple[str, int]) -> None:
    statement = "UPDATE audit_entry SET chain = %s, seq = %s WHERE chain = %s AND seq = %s"
    for to, where in ((("aside", 0), one), (one, other), (other, ("aside", 0))):
        link.execute(statement, [*to, *where])


def swap_two_rows(link: Link, trail: Trail, draw: Draw) -> None:
    chain, seq = _place(trail, draw)
    other = draw(st.integers(1, trail.lengths[chain]))
    assume(seq != other)
    _swap(link, (chain, seq), (chain, other))


def swap_rows_of_two_chains(link: Link, trail: Trail, draw: Draw) -> None:
    one, other = draw(st.permutations(sorted(trail.lengths)))[:2]
    seq = draw(st.integers(1, min(trail.lengths[one], trail.lengths[other])))
    _swap(link, (one, seq), (other, seq))


def insert_a_row(link: Link, trail: Trail, draw: Draw) -> None:
    """In the middle, those behind it moved on; with the hash that belongs to its place."""
    chain, seq = _place(trail, draw)
    for number in range(trail.lengths[chain], seq - 1, -1):
        _move(link, chain, number, +1)
    row = stored(link, chain, seq + 1) | {"id": new_id(), "action": "thing.forged", "seq": seq}
    row["hash"] = entry_hash(row["previous_hash"], chain, seq, text_of(row))
    insert(link, row)
    _mend_head(link, chain)


def append_a_row_without_its_hash(link: Link, trail: Trail, draw: Draw) -> None:
    chain, _seq = _place(trail, draw)
    last = trail.lengths[chain]
    row = stored(link, chain, last)
    insert(link, row | {"id": new_id(), "seq": last + 1, "previous_hash": row["hash"]})
    _mend_head(link, chain)


def append_a_row_past_the_head(link: Link, trail: Trail, draw: Draw) -> None:
    chain, _seq = _place(trail, draw)
    last = trail.lengths[chain]
    row = stored(link, chain, last)
    row |= {"id": new_id(), "seq": last + 1, "previous_hash": row["hash"]}
    row["hash"] = entry_hash(row["previous_hash"], chain, last + 1, text_of(row))
    insert(link, row)


def cut_the_tail(link: Link, trail: Trail, draw: Draw) -> None:
    chain, seq = _place(trail, draw)
    _delete_rows(link, chain, seq, trail.lengths[chain])


def move_the_head(link: Link, trail: Trail, draw: Draw) -> None:
    chain, seq = _place(trail, draw)
    assume(seq < trail.lengths[chain])
    statement = "UPDATE audit_head SET seq = e.seq, hash = e.hash FROM audit_entry e WHERE e.chain = %s AND e.seq = %s"
    link.execute(statement + " AND audit_head.chain = e.chain", [chain, seq])


def delete_the_head(link: Link, trail: Trail, draw: Draw) -> None:
    link.execute("DELETE FROM audit_head WHERE chain = %s", [_place(trail, draw)[0]])


# --- what the chains alone can't show, and the anchors do: up to the newest anchored row ---


def _anchored_place(trail: Trail, draw: Draw) -> tuple[str, int]:
    chain = draw(st.sampled_from(sorted(trail.lengths)))
    return chain, draw(st.integers(1, trail.anchored[chain]))


def cut_the_tail_and_mend_the_head(link: Link, trail: Trail, draw: Draw) -> None:
    chain, seq = _anchored_place(trail, draw)
    _delete_rows(link, chain, seq, trail.lengths[chain])
    _mend_head(link, chain)


def delete_a_whole_chain(link: Link, trail: Trail, draw: Draw) -> None:
    chain, _seq = _anchored_place(trail, draw)
    _delete_rows(link, chain, 1, trail.lengths[chain])
    _mend_head(link, chain)


def edit_a_row_and_write_all_hashes_anew(link: Link, trail: Trail, draw: Draw) -> None:
    chain, seq = _anchored_place(trail, draw)
    link.execute("UPDATE audit_entry SET action = 'thing.keep' WHERE chain = %s AND seq = %s", [chain, seq])
    rehash(link, chain, seq)


def delete_a_row_and_write_all_hashes_anew(link: Link, trail: Trail, draw: Draw) -> None:
    chain, seq = _anchored_place(trail, draw)
    _delete_rows(link, chain, seq, seq)
    for number in range(seq + 1, trail.lengths[chain] + 1):
        _move(link, chain, number, -1)
    rehash(link, chain, seq)


def swap_rows_of_two_chains_and_write_all_hashes_anew(link: Link, trail: Trail, draw: Draw) -> None:
    one, other = draw(st.permutations(sorted(trail.lengths)))[:2]
    seq = draw(st.integers(1, min(trail.anchored[one], trail.anchored[other])))
    _swap(link, (one, seq), (other, seq))
    rehash(link, one, seq)
    rehash(link, other, seq)


def edit_a_reason_its_commitment_and_all_hashes(link: Link, trail: Trail, draw: Draw) -> None:
    chain, seq = _anchored_place(trail, draw)
    body = '{"after":{},"before":{},"reason":"forged"}'
    link.execute(
        "UPDATE audit_detail SET body = %s, salt = %s FROM audit_entry e "
        "WHERE e.id = entry_id AND chain = %s AND seq = %s AND part = 'subject'",
        [body, bytes(16), chain, seq],
    )
    link.execute(
        "UPDATE audit_entry SET subject_commitment = %s WHERE chain = %s AND seq = %s",
        [commitment(bytes(16), body), chain, seq],
    )
    rehash(link, chain, seq)


def insert_a_row_and_write_all_hashes_anew(link: Link, trail: Trail, draw: Draw) -> None:
    chain, seq = _anchored_place(trail, draw)
    for number in range(trail.lengths[chain], seq - 1, -1):
        _move(link, chain, number, +1)
    insert(link, stored(link, chain, seq + 1) | {"id": new_id(), "action": "thing.forged", "seq": seq})
    rehash(link, chain, seq)


SEEN_BY_CHAINS = [
    edit_a_column, edit_a_detail, delete_a_row, delete_a_row_and_close_the_gap, swap_two_rows,
    swap_rows_of_two_chains, insert_a_row, append_a_row_without_its_hash, append_a_row_past_the_head, cut_the_tail,
    move_the_head, delete_the_head,
]  # fmt: skip
SEEN_BY_ANCHORS = [
    cut_the_tail_and_mend_the_head, delete_a_whole_chain, edit_a_row_and_write_all_hashes_anew,
    delete_a_row_and_write_all_hashes_anew, swap_rows_of_two_chains_and_write_all_hashes_anew,
    edit_a_reason_its_commitment_and_all_hashes, insert_a_row_and_write_all_hashes_anew,
]  # fmt: skip
