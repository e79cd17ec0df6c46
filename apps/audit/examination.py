"""The whole trail with its anchors, and a verdict."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Sum

from apps.audit.anchors.checking import AnchorReport, check_anchors, known_anchors
from apps.audit.enums import Verdict
from apps.audit.models import AuditHead, AuditVerification
from apps.audit.reading import one_instant
from apps.audit.verification import Break, verify_read
from apps.core.clock import now
from apps.core.principal import Principal
from apps.core.write import write

SHOWN = 20
_TELL_SECONDS = 1.0

Tell = Callable[[int, int], None]


def _tell_nobody(_done: int, _total: int) -> None:
    """Nobody waits."""


@dataclass(slots=True)
class Examination:
    """What was found. `breaks` are the first twenty, `broken` counts all; `anchors` None: they were not asked for."""

    chains: int = 0
    rows: int = 0
    broken: int = 0
    breaks: list[Break] = field(default_factory=list)
    anchors: AnchorReport | None = None

    @property
    def verdict(self) -> Verdict:
        if self.broken:
            return Verdict.BROKEN
        return Verdict.MISMATCH if self.anchors is not None and self.anchors.wrong else Verdict.INTACT

    def sentences(self) -> list[str]:
        """What is wrong, at most twenty of each kind."""
        found = [f"{each.chain}: broken at row {each.seq}: {each.what}" for each in self.breaks]
        if self.anchors is not None:
            found += [f"anchor {each.anchor}: {each.what}" for each in self.anchors.findings]
        return found


def examine(
    *,
    chain: str | None = None,
    since: datetime | None = None,
    anchors: bool = False,
    tell: Tell = _tell_nobody,
) -> Examination:
    """Reads and recomputes at one instant.

    Args:
        tell: told about once a second how many of how many rows were read.

    Raises:
        StoreUnavailable: with `anchors`.
    """
    found = Examination()
    known = known_anchors() if anchors else None
    total = (AuditHead.objects.aggregate(rows=Sum("seq"))["rows"] or 0) if tell is not _tell_nobody else 0
    told = time.monotonic()
    with one_instant() as reader:
        for report in verify_read(reader, chain, since=since):
            found.chains += 1
            found.rows += report.rows
            if report.broken is not None:
                found.broken += 1
                if len(found.breaks) < SHOWN:
                    found.breaks.append(report.broken)
            if time.monotonic() - told >= _TELL_SECONDS:
                told = time.monotonic()
                tell(found.rows, max(found.rows, total))
        if known is not None:
            found.anchors = check_anchors(reader, known, chain=chain, since=since)
    tell(found.rows, found.rows)
    return found


def verify_trail(*, actor: Principal, tell: Tell = _tell_nobody) -> AuditVerification:
    """Examines everything and keeps the verdict. Killed half-way it leaves nothing, and is done again.

    Raises:
        StoreUnavailable: the anchors can't be read.
    """
    started = now()
    found = examine(anchors=True, tell=tell)
    newest = found.anchors.newest if found.anchors is not None else None
    row = AuditVerification(
        started_at=started,
        finished_at=now(),
        verdict=found.verdict,
        chains=found.chains,
        rows=found.rows,
        anchors=found.anchors.anchors if found.anchors is not None else 0,
        newest_anchor=newest.number if newest is not None else None,
        findings=found.sentences()[:SHOWN],
        asked_by=actor.id,
    )
    with write("audit.verify", actor=actor, target=row.audit_target()) as w:
        row.save(force_insert=True)
        w.note(verdict=row.verdict, chains=row.chains, rows=row.rows)
    return row
