"""Jobs of the users app."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session

from apps.core.clock import now
from apps.core.enums import JobEngine
from apps.core.jobs.registry import Run, job
from apps.users.services.erasure import (
    ERASE_JOB,
    FINISH_JOB,
    finish_erasure,
    finish_erasures,
    remove_late,
)
from apps.users.services.passwords import SEND_RESET_LINK, send_reset_link


@job(SEND_RESET_LINK)
def send_link(run: Run, *, sealed: str) -> dict[str, Any]:
    """One transaction: killed before its end, nothing was sent; run again after it, the newer link counts."""
    return {"sent": send_reset_link(sealed=sealed)}


@job("users.prune", every=timedelta(hours=1))
def prune(run: Run) -> dict[str, Any]:
    """Forgets sessions that are over; killed half-way, the next hour's run goes on."""
    sessions, _ = Session.objects.filter(expire_date__lt=now()).delete()
    live = Session.objects.values("session_key")
    listed, _ = UserSession.objects.exclude(session_key__in=live).delete()
    return {"sessions": sessions, "listed_sessions": listed}


@job(ERASE_JOB, on=JobEngine.RQ)
def erase(run: Run, *, user_id: str) -> dict[str, Any]:
    """Killed anywhere, it goes on with the first part that the tombstone does not name."""
    return dict(finish_erasure(actor=run.actor, user_id=UUID(user_id), progress=run.progress))


@job(FINISH_JOB, every=timedelta(hours=1))
def finish(run: Run) -> dict[str, Any]:
    """What came late to erasures, and those whose job has given up; killed half-way, the next hour's run goes on."""
    late = remove_late(actor=run.actor)
    return {"late": late, "finished": finish_erasures(actor=run.actor)}
