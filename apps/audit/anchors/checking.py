"""Holds anchors against each other and against the database."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from apps.audit.anchors.heads import Head, newest_of, read_heads
from apps.audit.anchors.manifest import (
    FIRST,
    NONE_BEFORE,
    Anchor,
    Signed,
    load_anchor,
    numbers,
)
from apps.audit.anchors.merkle import Tree
from apps.audit.errors import AnchorDamaged
from apps.audit.models import AuditAnchor
from apps.audit.reading import Reader
from apps.core.objectstore import ObjectNotFound
from apps.core.sealing import SignatureWrong

_BATCH = 1000
_SHOWN = 20

_STORED = """
SELECT a.chain, a.seq, e.hash
FROM unnest(%(chains)s::text[], %(seqs)s::bigint[]) AS a (chain, seq)
LEFT JOIN audit_entry e ON e.chain = a.chain AND e.seq = a.seq
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was anchored; `anchor` is the number of the anchor that shows it."""

    anchor: int
    what: str


@dataclass(slots=True)
class AnchorReport:
    """What the anchors say.

    Attributes:
        anchors: how many there are.
        lines: heads of anchors that were looked up in the database.
        findings: the first twenty; `wrong` counts them all.
        lost: heads that were anchored and are not in the database.
        restores: accepted ones, as sentences.
        old_keys: anchors signed under keys that are no longer known; the ones after them vouch for them.
    """

    anchors: int = 0
    newest: Anchor | None = None
    lines: int = 0
    findings: list[Finding] = field(default_factory=list)
    wrong: int = 0
    lost: int = 0
    restores: list[str] = field(default_factory=list)
    old_keys: int = 0

    def found(self, anchor: int, what: str) -> None:
        self.wrong += 1
        if len(self.findings) < _SHOWN:
            self.findings.append(Finding(anchor, what))


@dataclass(frozen=True, slots=True)
class Known:
    """The anchors as they stood when the check began: read before the trail, so that none is ahead of it.

    Attributes:
        told: the newest that the database knew of, asked before the store was.
    """

    told: int
    numbers: list[int]


def known_anchors() -> Known:
    """Raises StoreUnavailable."""
    told = AuditAnchor.objects.order_by("-number").values_list("number", flat=True).first() or 0
    return Known(told, list(numbers()))


def check_anchors(
    reader: Reader, known: Known, *, chain: str | None = None, since: datetime | None = None
) -> AnchorReport:
    """Signatures, order, files and, in the database, each head that was anchored.

    Args:
        known: from `known_anchors`, called before the reader's instant began.
        chain: only the heads of this chain are looked up.
        since: only the heads of anchors of that time on are.

    Raises:
        StoreUnavailable
    """
    report = AnchorReport(anchors=len(known.numbers))
    anchors = list(_linked(known.numbers, report))
    last = anchors[-1].number if anchors else 0
    if known.told > last:
        report.found(known.told, f"anchor {known.told} was taken, but the store ends with {last or 'none'}")
    void = _void(anchors, report)
    state: list[str] = []
    for anchor in anchors:
        if anchor.number in void:
            continue
        try:
            _check_state(anchor, state, report, is_last=anchor is anchors[-1])
            if since is None or anchor.taken_at >= since:
                _check_heads(reader, anchor, chain, report)
        except ObjectNotFound:
            report.found(anchor.number, "one of its files is not in the object store")
        except AnchorDamaged as damaged:
            report.found(anchor.number, damaged.message)
    report.newest = anchors[-1] if anchors else None
    return report


def _linked(found: Iterable[int], report: AnchorReport) -> Iterator[Anchor]:
    """Each anchor that can be read, its place, its signature and the link to the one before checked."""
    expected, digest = FIRST, NONE_BEFORE
    newest_is_signed = True
    for number in found:
        for missing in range(expected, number)[:_SHOWN]:
            report.found(missing, "it is not in the object store")
        try:
            signed = load_anchor(number)
        except (AnchorDamaged, ObjectNotFound) as wrong:
            report.found(number, wrong.message)
            expected, digest = number + 1, ""
            continue
        newest_is_signed = _check_signature(signed, report)
        if digest and number == expected and signed.anchor.previous != digest:
            report.found(number, "it does not go on from the anchor before it")
        expected, digest = number + 1, signed.anchor.digest()
        yield signed.anchor
    if not newest_is_signed:
        report.found(expected - 1, "the newest anchor is signed with a key that is not known here")


def _check_signature(signed: Signed, report: AnchorReport) -> bool:
    """False where it can't be told."""
    if not signed.key_is_known:
        report.old_keys += 1
        return False
    try:
        signed.check()
    except SignatureWrong:
        report.found(signed.anchor.number, "its signature is wrong")
    return True


def _void(anchors: list[Anchor], report: AnchorReport) -> set[int]:
    """Numbers of anchors that tell of rows which an accepted restore lost."""
    void: set[int] = set()
    for anchor in anchors:
        if anchor.restored is not None:
            lost = range(anchor.restored.last_good + 1, anchor.number)
            void.update(lost)
            report.restores.append(
                f"Anchor {anchor.number} of {anchor.taken_at:%Y-%m-%d %H:%M} UTC accepted a restore to the state after "
                f"anchor {anchor.restored.last_good}; {len(lost)} anchors tell of what was lost: "
                f"{anchor.restored.reason}"
            )
    return void


def _check_state(anchor: Anchor, state: list[str], report: AnchorReport, *, is_last: bool) -> None:
    """The root over all heads: where there is a file of them, and at the end. `state` gathers the files since."""
    goes_on = bool(state) and anchor.restored is None
    if goes_on:
        state.append(anchor.changed_key)
    if (goes_on and (anchor.full_key or is_last)) and not _is_root(newest_of(state), anchor):
        report.found(anchor.number, "its root is not that of the heads that were anchored")
    if anchor.full_key is not None:
        state[:] = [anchor.full_key]
        if not _is_root(read_heads(anchor.full_key), anchor):
            report.found(anchor.number, "its file of all heads is not the one that was signed")
    elif not goes_on:
        report.found(anchor.number, "there is no file of all heads to begin with")


def _is_root(heads: Iterable[Head], anchor: Anchor) -> bool:
    tree = Tree()
    rows = 0
    for head in heads:
        tree.add(head.line())
        rows += head.seq
    return (tree.count, tree.root(), rows) == (anchor.chains, anchor.root, anchor.rows)


def _check_heads(reader: Reader, anchor: Anchor, chain: str | None, report: AnchorReport) -> None:
    tree = Tree()
    for batch in _batches(read_heads(anchor.changed_key)):
        for head in batch:
            tree.add(head.line())
        asked = [head for head in batch if chain is None or head.chain == chain]
        report.lines += len(asked)
        for head, own in _stored(reader, asked):
            if own is None:
                report.lost += 1
                report.found(anchor.number, f"{head.chain} had a row {head.seq}, which is not there")
            elif own != head.hash:
                report.found(anchor.number, f"{head.chain} had another row {head.seq}")
    if (tree.count, tree.root()) != (anchor.changed, anchor.changed_root):
        report.found(anchor.number, "its file of heads is not the one that was signed")


def _batches(heads: Iterator[Head]) -> Iterator[list[Head]]:
    while batch := list(islice(heads, _BATCH)):
        yield batch


def _stored(reader: Reader, heads: list[Head]) -> Iterator[tuple[Head, bytes | None]]:
    """The heads with the hash that the database has in each place."""
    if not heads:
        return
    asked = {"chains": [head.chain for head in heads], "seqs": [head.seq for head in heads]}
    found = {(name, seq): own for name, seq, own in reader.stream(_STORED, asked)}
    for head in heads:
        own = found[head.chain, head.seq]
        yield head, None if own is None else bytes(own)


def last_good_anchor(reader: Reader, newest: Anchor) -> int:
    """The newest anchor that holds in the database, and all before it; 0 where none does.

    Goes back to the first file of all heads that holds: what that one tells was not lost.

    Raises:
        AnchorDamaged, ObjectNotFound, StoreUnavailable
    """
    wrong: Counter[int] = Counter()
    anchor = newest
    while True:
        wrong[anchor.number] += _disagreeing(reader, anchor.changed_key)
        if anchor.number == FIRST or (anchor.full_key and not _disagreeing(reader, anchor.full_key)):
            break
        anchor = load_anchor(anchor.number - 1).anchor
    bad = [number for number, count in wrong.items() if count]
    return min(bad) - 1 if bad else newest.number


def _disagreeing(reader: Reader, key: str) -> int:
    return sum(
        1 for batch in _batches(read_heads(key)) for head, own in _stored(reader, batch) if own != head.hash
    )
