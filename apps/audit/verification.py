"""Reads a chain from its first row and recomputes everything."""

from collections.abc import Iterator
from dataclasses import dataclass

from apps.audit.canonical import commitment, entry_hash, entry_text
from apps.audit.models import AuditDetail, AuditEntry, AuditHead

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


def text_of(entry: AuditEntry) -> str:
    """The canonical text of a stored entry, from its columns."""
    names = (
        "id", "at", "actor_kind", "actor_id", "via", "action", "resource_type", "resource_id", "tenant_id",
        "person_id", "outcome", "metadata", "request_id", "correlation_id",
    )  # fmt: skip
    fields = {name: getattr(entry, name) for name in names}
    fields["actor_commitment"] = bytes(entry.actor_commitment).hex()
    fields["subject_commitment"] = bytes(entry.subject_commitment).hex()
    return entry_text(fields)


def verify_chain(chain: str) -> ChainReport:
    """Checks order, hashes, details and head of one chain; the first break ends it."""
    previous, expected, rows = GENESIS, 1, 0
    for entry in AuditEntry.objects.filter(chain=chain).order_by("seq").iterator(2000):
        if entry.seq != expected:
            return ChainReport(chain, rows, Break(chain, expected, "the row is missing"))
        if bytes(entry.previous_hash) != previous:
            return ChainReport(chain, rows, Break(chain, entry.seq, "it does not follow the row before it"))
        if entry_hash(previous, chain, entry.seq, text_of(entry)) != bytes(entry.hash):
            return ChainReport(chain, rows, Break(chain, entry.seq, "its content was changed"))
        previous, expected, rows = bytes(entry.hash), expected + 1, rows + 1
    wrong = _wrong_detail(chain)
    if wrong is not None:
        return ChainReport(chain, rows, wrong)
    head = AuditHead.objects.filter(chain=chain).first()
    if (head.seq, bytes(head.hash)) != (rows, previous) if head else rows:
        return ChainReport(chain, rows, Break(chain, expected, "the head names another last row"))
    return ChainReport(chain, rows, None)


def _wrong_detail(chain: str) -> Break | None:
    details = AuditDetail.objects.filter(entry__chain=chain).select_related("entry").order_by("entry__seq")
    for detail in details.iterator(2000):
        kept = detail.entry.actor_commitment if detail.part == "actor" else detail.entry.subject_commitment
        if commitment(bytes(detail.salt), detail.body) != bytes(kept):
            return Break(chain, detail.entry.seq, f"the personal detail of its {detail.part} was changed")
    return None


def verify_all(chain: str | None = None) -> Iterator[ChainReport]:
    """Every chain that has a row or a head, or the one named."""
    if chain is not None:
        yield verify_chain(chain)
        return
    names = set(AuditEntry.objects.order_by("chain").values_list("chain", flat=True).distinct())
    names |= set(AuditHead.objects.values_list("chain", flat=True))
    for name in sorted(names):
        yield verify_chain(name)
