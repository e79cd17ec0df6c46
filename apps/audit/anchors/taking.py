"""Taking an anchor.

One at a time (an advisory lock of the database; and, should two databases share a store, an object that is written
once). The files of heads come first, the anchor that names them last: killed at any moment, there is the anchor with
all that belongs to it, or none, and at most a file that nobody names. Last the database is told; an anchor that it
was not told of is found by the next run.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from apps.audit.anchors.checking import last_good_anchor
from apps.audit.anchors.heads import Head, HeadsFile, database_heads, newest_of
from apps.audit.anchors.manifest import (
    FIRST,
    NONE_BEFORE,
    Anchor,
    Restored,
    load_anchor,
    numbers,
    put_anchor,
)
from apps.audit.anchors.merkle import Tree
from apps.audit.errors import AnchorDamaged, AnchorMissing, HeadsBehind, RestoreNotNeeded
from apps.audit.models import AuditAnchor
from apps.audit.reading import Reader, one_instant
from apps.core.clock import now
from apps.core.live import open_link
from apps.core.objectstore import ObjectNotFound
from apps.core.principal import Principal
from apps.core.write import write

# Each so many anchors a file of all heads: whoever reads the state goes back no further.
FULL_EVERY = 24
_LOCK = 727_100


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a request for an anchor; `new` is False where that hour's stood already."""

    anchor: Anchor
    new: bool


def hour_of(moment: datetime) -> str:
    """The slot that a scheduled anchor is due in."""
    return f"{moment:%Y-%m-%dT%H}"


def take_anchor(*, actor: Principal, slot: str = "", after_restore: str = "") -> Taken:
    """Anchors the heads of all chains as they are now.

    Args:
        slot: the hour that it is due in; taken once for each.
        after_restore: why the database is older than the newest anchor; accepts that. Kept for ever in clear.

    Raises:
        HeadsBehind: the heads do not go on from the newest anchor.
        RestoreNotNeeded: `after_restore`, but they do.
        AnchorDamaged, AnchorMissing, SignatureWrong: the anchors before can't be relied upon.
        StoreUnavailable
    """
    with open_link() as link:
        # Of two, one waits as long as the other may take.
        link.execute("SET statement_timeout = 0")
        link.execute("SET lock_timeout = '10min'")
        link.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        newest = newest_anchor()
        if newest is not None:
            _settle(actor, newest)
            if slot and AuditAnchor.objects.filter(slot=slot).exists():
                return Taken(newest, new=False)
        anchor = _take(newest, slot, after_restore)
        _settle(actor, anchor)
    return Taken(anchor, new=True)


def newest_anchor() -> Anchor | None:
    """The last anchor in the store, its signature checked.

    Raises:
        AnchorDamaged, SignatureWrong, StoreUnavailable
        AnchorMissing: the database knows of a later one.
    """
    told = AuditAnchor.objects.order_by("-number").values_list("number", flat=True).first() or 0
    last = told
    for before, number in pairwise([told, *numbers(after=told)]):
        if number != before + 1:
            raise AnchorMissing(f"Anchor {before + 1} is not in the object store.")
        last = number
    if last < FIRST:
        return None
    try:
        found = load_anchor(last)
    except ObjectNotFound:
        raise AnchorMissing(f"Anchor {last}, the newest that is known of, is not in the store.") from None
    found.check()
    return found.anchor


def _take(newest: Anchor | None, slot: str, after_restore: str) -> Anchor:
    number = newest.number + 1 if newest else FIRST
    # Another's file of the same number is never in our way, nor ours in another's.
    stem = f"audit/heads/{number:010d}-{secrets.token_hex(4)}"
    with one_instant() as reader:
        restored = None
        if after_restore:
            restored = _restored(reader, newest, after_restore)
        taken_at = now()
        # After a restore everything counts as changed: the lines before it are no longer gone on from.
        goes_on = newest if restored is None else None
        full = goes_on is not None and number % FULL_EVERY == 0
        found = _compared(reader, _state_keys(goes_on), full=full)
    if found.behind and restored is None:
        raise HeadsBehind(_sentence(newest, found), details={"chains": found.behind})
    found.changed_file.put(f"{stem}.changed.gz")
    full_key = None
    if goes_on is None:
        full_key = f"{stem}.changed.gz"
    elif found.all_file is not None:
        full_key = f"{stem}.all.gz"
        found.all_file.put(full_key)
    anchor = Anchor(
        number=number,
        slot=slot,
        taken_at=taken_at,
        previous=newest.digest() if newest else NONE_BEFORE,
        chains=found.tree.count,
        rows=found.rows,
        root=found.tree.root(),
        changed=found.changed_file.count,
        changed_root=found.changed_file.root(),
        changed_key=f"{stem}.changed.gz",
        full_key=full_key,
        restored=restored,
    )
    put_anchor(anchor)
    return anchor


def _restored(reader: Reader, newest: Anchor | None, reason: str) -> Restored:
    if newest is None:
        raise RestoreNotNeeded("There is no anchor yet: nothing has to be accepted.")
    last_good = last_good_anchor(reader, newest)
    if last_good == newest.number:
        raise RestoreNotNeeded
    return Restored(reason=reason, last_good=last_good)


@dataclass(slots=True)
class _Comparison:
    """The heads of the database beside those of the newest anchor; a file of all only where one is wanted."""

    changed_file: HeadsFile
    all_file: HeadsFile | None
    tree: Tree
    rows: int = 0
    behind: int = 0
    first_behind: str = ""

    def is_behind(self, chain: str) -> None:
        self.behind += 1
        self.first_behind = self.first_behind or chain


def _compared(reader: Reader, before: list[str], *, full: bool) -> _Comparison:
    found = _Comparison(HeadsFile(), HeadsFile() if full else None, Tree())
    for own, old in _beside(database_heads(reader), newest_of(before)):
        if own is None:
            found.is_behind(old.chain if old else "")
            continue
        found.tree.add(own.line())
        found.rows += own.seq
        if found.all_file is not None:
            found.all_file.add(own)
        if own == old:
            continue
        if old is not None and own.seq <= old.seq:
            found.is_behind(own.chain)
        found.changed_file.add(own)
    return found


def _beside(left: Iterator[Head], right: Iterator[Head]) -> Iterator[tuple[Head | None, Head | None]]:
    """Two lists sorted by chain as one, with None where one of them lacks the chain."""
    one, other = next(left, None), next(right, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one.chain < other.chain):
            yield one, None
            one = next(left, None)
        elif one is None or other.chain < one.chain:
            yield None, other
            other = next(right, None)
        else:
            yield one, other
            one, other = next(left, None), next(right, None)


def _state_keys(newest: Anchor | None) -> list[str]:
    """The files that tell the state at an anchor, oldest first: the last full one, and the changes since."""
    keys: list[str] = []
    anchor = newest
    while anchor is not None:
        if anchor.full_key is not None:
            return [anchor.full_key, *reversed(keys)]
        keys.append(anchor.changed_key)
        before = load_anchor(anchor.number - 1).anchor
        if before.digest() != anchor.previous:
            raise AnchorDamaged(f"Anchor {anchor.number} does not go on from anchor {before.number}.")
        anchor = before
    return keys


def _sentence(newest: Anchor | None, found: _Comparison) -> str:
    number = newest.number if newest else 0
    return (
        f"{found.behind} chains do not go on from anchor {number} (the first is {found.first_behind}): the database "
        "was restored to an earlier state, or their tails were cut. Run `manage.py audit_verify --anchors`; after a "
        "restore that you know of, `manage.py audit_anchor --after-restore REASON`."
    )


def _settle(actor: Principal, anchor: Anchor) -> None:
    """Tells the database of an anchor, unless it knows."""
    if AuditAnchor.objects.filter(number=anchor.number).exists():
        return
    row = AuditAnchor(
        number=anchor.number,
        slot=anchor.slot,
        taken_at=anchor.taken_at,
        chains=anchor.chains,
        rows=anchor.rows,
        changed=anchor.changed,
        digest=anchor.digest(),
        after_restore=anchor.restored is not None,
    )
    action = "audit.accept_restore" if anchor.restored else "audit.anchor"
    reason = anchor.restored.reason if anchor.restored else ""
    with write(action, actor=actor, target=row.audit_target(), reason=reason) as w:
        row.save(force_insert=True)
        w.note(digest=row.digest, chains=row.chains, rows=row.rows)
        if anchor.restored:
            w.note(last_good=anchor.restored.last_good)
