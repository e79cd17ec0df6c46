"""The anchor itself: a small signed file that names roots, files and the anchor before it."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

from apps.audit.canonical import canonical
from apps.audit.errors import AnchorDamaged
from apps.core.objectstore import store
from apps.core.sealing import Signature, SignaturePurpose, SignatureWrong, public_keys, sign, verify

FORMAT = "steward-audit-anchor-1"
FIRST = 1
NONE_BEFORE = "0" * 64
_PREFIX = "audit/anchors/"
_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Restored:
    """Why an anchor does not go on from the one before it.

    Attributes:
        reason: an operator's.
        last_good: the newest anchor that holds in the restored database; those between tell of rows that were lost.
    """

    reason: str
    last_good: int


@dataclass(frozen=True, slots=True)
class Anchor:
    """A digest of the heads of all chains at one instant.

    Attributes:
        slot: the hour it was due in (`2026-11-21T16`); empty where somebody asked for it.
        previous: SHA-256 of the payload before, in hex.
        chains, rows, root: of all heads.
        changed, changed_root, changed_key: of those that are not as in the anchor before; their file.
        full_key: the file of all heads, where this anchor has one.
    """

    number: int
    slot: str
    taken_at: datetime
    previous: str
    chains: int
    rows: int
    root: str
    changed: int
    changed_root: str
    changed_key: str
    full_key: str | None
    restored: Restored | None

    def payload(self) -> str:
        """The canonical text that is signed."""
        return canonical({"format": FORMAT, **asdict(self)})

    def digest(self) -> str:
        """What the next anchor names this one by."""
        return hashlib.sha256(self.payload().encode()).hexdigest()

    @classmethod
    def read(cls, payload: str) -> Self:
        """Raises AnchorDamaged: it is no payload of ours."""
        try:
            fields: dict[str, Any] = json.loads(payload)
            if fields.pop("format") != FORMAT:
                raise AnchorDamaged(f"An anchor is not of the format {FORMAT}.")
            restored = fields.pop("restored")
            taken_at = datetime.fromisoformat(fields.pop("taken_at"))
            found = cls(**fields, taken_at=taken_at, restored=Restored(**restored) if restored else None)
        except (ValueError, KeyError, TypeError) as wrong:
            raise AnchorDamaged("An anchor can't be read.") from wrong
        if found.payload() != payload:
            raise AnchorDamaged("An anchor is not written in its canonical form.")
        return found


@dataclass(frozen=True, slots=True)
class Signed:
    """An anchor as it is stored."""

    anchor: Anchor
    signature: Signature

    @property
    def key_is_known(self) -> bool:
        """False where it was signed under a master key that is no longer set."""
        return self.signature.key_id in public_keys(purpose=SignaturePurpose.AUDIT_ANCHOR)

    def check(self) -> None:
        """Raises SignatureWrong."""
        verify(self.anchor.payload().encode(), self.signature, purpose=SignaturePurpose.AUDIT_ANCHOR)


def key_of(number: int) -> str:
    """Where an anchor lies: of two that would bear one number, the store takes one."""
    return f"{_PREFIX}{number:010d}.json"


def put_anchor(anchor: Anchor) -> None:
    """Signs and stores an anchor, once.

    Raises:
        ObjectExists: there is one of this number.
        StoreUnavailable
    """
    payload = anchor.payload()
    signature = sign(payload.encode(), purpose=SignaturePurpose.AUDIT_ANCHOR)
    body = json.dumps({"payload": payload, "signature": signature.as_json()}, indent=1)
    store().put(key_of(anchor.number), [body.encode()], content_type="application/json", once=True)


def load_anchor(number: int) -> Signed:
    """An anchor as it lies in the store; its signature is not checked.

    Raises:
        ObjectNotFound, StoreUnavailable
        AnchorDamaged: it can't be read, or bears another number.
    """
    with store().open(key_of(number), length=_LARGEST) as opened:
        body = b"".join(opened.chunks)
    try:
        stored = json.loads(body)
        found = Signed(Anchor.read(stored["payload"]), Signature.from_json(stored["signature"]))
    except (ValueError, KeyError, TypeError, SignatureWrong) as wrong:
        raise AnchorDamaged(f"Anchor {number} can't be read.") from wrong
    if found.anchor.number != number:
        raise AnchorDamaged(f"Anchor {number} bears the number {found.anchor.number}.")
    return found


def numbers(*, after: int = 0) -> Iterator[int]:
    """The numbers of the anchors in the store, rising."""
    for stat in store().list(_PREFIX, after=key_of(after) if after else ""):
        name = stat.key.removeprefix(_PREFIX).removesuffix(".json")
        if name.isascii() and name.isdigit():
            yield int(name)
