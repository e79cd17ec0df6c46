"""The trail as a file that an outsider can verify: rows, anchors, and what leads from the one to the other.

JSON lines. The first says what the file is; then a line for each row; then, for each chain, the newest anchored row
that is in the file, with the path from its line to the root that an anchor signs; last those anchors. How to verify
it stands in docs/operations.md; scripts/verify_audit_export.py does it without Steward.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from apps.audit.anchors import merkle
from apps.audit.anchors.heads import Head, read_heads
from apps.audit.anchors.manifest import Signed, load_anchor, numbers
from apps.audit.reading import Detail, StoredRow, one_instant, stored_rows
from apps.core.clock import iso, now
from apps.core.sealing import SignaturePurpose, public_keys

FORMAT = "steward-audit-export-1"


def export_trail(
    path: Path, *, chain: str | None = None, since: datetime | None = None, details: bool = False
) -> int:
    """Writes the file, whole or not at all; answers how many rows it holds.

    Needs memory for one number a chain and, while an anchor's lines are read, for 32 bytes a line.

    Args:
        details: with personal details.

    Raises:
        OSError: it can't be written.
        StoreUnavailable, AnchorDamaged: the anchors can't be read.
    """
    known = list(numbers())
    aside = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with aside.open("x", encoding="utf-8") as file:
            aside.chmod(0o600)
            counted = _written(file, known, chain, since, details=details)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return counted


def _written(
    file: IO[str], known: list[int], chain: str | None, since: datetime | None, *, details: bool
) -> int:
    _line(file, {"export": FORMAT, "exported_at": iso(now()), "since": iso(since) if since else None})
    spans: dict[str, tuple[int, int]] = {}
    counted = 0
    with one_instant() as reader:
        for row in stored_rows(reader, chain=chain, since=since):
            _line(file, _row(row, details=details))
            spans[row.chain] = (spans.get(row.chain, (row.seq, 0))[0], row.seq)
            counted += 1
    for signed in _proven(file, known, spans):
        _line(file, _anchor(signed))
    return counted


def _line(file: IO[str], content: dict[str, Any]) -> None:
    file.write(json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n")


def _row(row: StoredRow, *, details: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "chain": row.chain,
        "seq": row.seq,
        "previous_hash": row.previous_hash.hex(),
        "hash": row.hash.hex(),
        "text": row.text,
    }
    if details:
        found["details"] = {"actor": _detail(row.actor), "subject": _detail(row.subject)}
    return found


def _detail(detail: Detail | None) -> dict[str, str] | None:
    return None if detail is None else {"salt": detail.salt.hex(), "body": detail.body}


def _proven(file: IO[str], known: list[int], spans: dict[str, tuple[int, int]]) -> Iterator[Signed]:
    """Writes the proof of each chain from its newest anchor backwards; gives the anchors that are needed."""
    open_ = dict(spans)
    for number in reversed(known):
        if not open_:
            return
        signed = load_anchor(number)
        wanted: list[tuple[int, Head]] = []
        leaves: list[bytes] = []
        for at, head in enumerate(read_heads(signed.anchor.changed_key)):
            leaves.append(merkle.leaf_hash(head.line()))
            first, last = open_.get(head.chain, (1, 0))
            if first <= head.seq <= last:
                wanted.append((at, head))
        if not wanted:
            continue
        tree = merkle.levels(leaves)
        for at, head in wanted:
            del open_[head.chain]
            proof = {"chain": head.chain, "seq": head.seq, "path": merkle.path(tree, at)}
            _line(file, {"anchored": number, **proof})
        yield signed


def _anchor(signed: Signed) -> dict[str, Any]:
    known = public_keys(purpose=SignaturePurpose.AUDIT_ANCHOR)
    key = known.get(signed.signature.key_id)
    return {
        "anchor": signed.anchor.number,
        "payload": signed.anchor.payload(),
        "signature": signed.signature.as_json(),
        # For looking at; whoever verifies takes the key that was given to them another way.
        "public_key": b64encode(key).decode() if key else None,
    }
