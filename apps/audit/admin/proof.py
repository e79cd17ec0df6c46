"""What proves a row of the trail, computed while it is looked at."""

from apps.audit.canonical import commitment, entry_hash
from apps.audit.enums import Part
from apps.audit.models import AuditEntry, AuditHead
from apps.audit.reading import text_of_entry
from apps.audit.verification import GENESIS
from apps.backoffice import cells
from apps.backoffice.blocks import Fact, Facts


def holds(entry: AuditEntry) -> bool:
    """True where the row's hash is that of its content and of the hash that it names as the one before: no query."""
    computed = entry_hash(bytes(entry.previous_hash), entry.chain, entry.seq, text_of_entry(entry))
    return computed == bytes(entry.hash)


def verdict(entry: AuditEntry) -> tuple[bool, str]:
    """One row with the row before it and its personal details: whether it is intact, and a sentence."""
    if bytes(entry.previous_hash) != _hash_before(entry):
        return False, "It does not follow the row before it."
    if not holds(entry):
        return False, "Its content was changed after it was written."
    for detail in entry.details.all():
        kept = entry.actor_commitment if detail.part == Part.ACTOR else entry.subject_commitment
        if commitment(bytes(detail.salt), detail.body) != bytes(kept):
            return False, f"The personal detail of its {detail.part} was changed after it was written."
    return True, "It follows the row before it, and nothing in it was changed."


def _hash_before(entry: AuditEntry) -> bytes | None:
    if entry.seq == 1:
        return GENESIS
    before = AuditEntry.objects.filter(chain=entry.chain, seq=entry.seq - 1)
    found = before.values_list("hash", flat=True).first()
    return bytes(found) if found is not None else None


def proof(entry: AuditEntry) -> Facts:
    """The block of an entry's page."""
    intact, sentence = verdict(entry)
    head = AuditHead.objects.filter(chain=entry.chain).values_list("seq", flat=True).first()
    return Facts(
        "Proof",
        [
            Fact(
                "State", cells.badge("intact" if intact else "broken", "green" if intact else "red"), sentence
            ),
            Fact("Chain", entry.chain),
            Fact("Place", f"{entry.seq:,}", f"of {head:,}" if head else ""),
            Fact("Hash", cells.whole_id(bytes(entry.hash).hex())),
            Fact("Hash before", cells.whole_id(bytes(entry.previous_hash).hex())),
            Fact("The whole chain", f"manage.py audit_verify --chain {entry.chain}"),
        ],
    )
