"""Jobs of the trail."""

from datetime import timedelta
from typing import Any

from apps.audit.anchors.taking import hour_of, take_anchor
from apps.audit.examination import verify_trail
from apps.audit.services import VERIFY
from apps.core.clock import now
from apps.core.enums import JobEngine
from apps.core.jobs.registry import Run, job

# They change nothing until they are done: an attempt more costs nothing.
_PATIENT = 20


@job("audit.anchor", every=timedelta(hours=1), max_attempts=_PATIENT)
def anchor(run: Run) -> dict[str, Any]:
    """Killed half-way, the next attempt takes the hour's anchor, or finds that it was taken."""
    taken = take_anchor(actor=run.actor, slot=hour_of(now()))
    return {"number": taken.anchor.number, "chains": taken.anchor.chains, "new": taken.new}


@job("audit.verify_nightly", every=timedelta(days=1), max_attempts=_PATIENT)
def verify_nightly(run: Run) -> dict[str, Any]:
    """Killed half-way, it begins anew."""
    return {"verdict": verify_trail(actor=run.actor).verdict}


@job(VERIFY, on=JobEngine.RQ, max_attempts=_PATIENT)
def verify(run: Run) -> dict[str, Any]:
    """As every night, for somebody who waits. Killed half-way, it begins anew."""
    return {"verdict": verify_trail(actor=run.actor, tell=run.progress).verdict}
