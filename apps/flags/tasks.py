"""Named jobs of flags."""

import time
from datetime import timedelta
from typing import Any
from uuid import UUID

from apps.core.jobs.registry import Run, job
from apps.core.principal import system
from apps.flags import services
from apps.flags.services.schedule import APPLY_JOB
from apps.flags.snapshot import holder


@job(APPLY_JOB, max_attempts=10)
def apply_scheduled(run: Run, *, schedule_id: str) -> dict[str, Any]:
    """Killed half-way, nothing was changed and the next run does it; once done, a further run changes nothing."""
    row = services.apply_scheduled(actor=run.actor, schedule_id=UUID(schedule_id))
    return {"status": row.status}


@job("flags.find_settled", every=timedelta(hours=1))
def find_settled(run: Run) -> dict[str, Any]:
    """Killed half-way, the next hour's run begins anew."""
    actor = system("flags.find_settled")
    return {"flags": services.find_settled(actor=actor, snapshot=holder.current(), at=time.time())}


@job("flags.clean_up", every=timedelta(days=1))
def clean_up(run: Run) -> dict[str, Any]:
    """Overrides that ended long ago, and counts beyond their retention. Killed half-way, the next run does the rest."""
    actor = system("flags.clean_up")
    return {
        "overrides": services.remove_expired_overrides(actor=actor),
        "usage": services.prune_usage(actor=actor),
    }
