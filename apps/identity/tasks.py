"""Jobs of the identity app."""

from datetime import timedelta
from typing import Any

from apps.core.clock import now
from apps.core.jobs.registry import Run, job
from apps.core.principal import system
from apps.identity import services


@job("identity.rotate_keys", every=timedelta(hours=1))
def rotate_keys(run: Run) -> dict[str, Any]:
    """One transaction: killed half-way, nothing has happened, and the next hour's run looks again."""
    del run
    key = services.rotate_due_key(actor=system("identity.rotate_keys"))
    return {"published": key.kid if key is not None else None}


@job("identity.prune", every=timedelta(hours=1))
def prune(run: Run) -> dict[str, Any]:
    """Two transactions: killed half-way, the next hour's run does what is left."""
    del run
    gone = services.prune(actor=system("identity.prune"))
    sessions = services.prune_nile_sessions(actor=system("identity.prune"), moment=now())
    return {**gone, "nile_sessions": sessions}
