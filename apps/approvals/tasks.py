"""Jobs of approvals."""

from datetime import timedelta
from typing import Any

from apps.approvals.services import expire_requests
from apps.core.jobs.registry import Run, job


@job("approvals.expire", every=timedelta(minutes=5))
def expire(run: Run) -> dict[str, Any]:
    """Killed half-way, the next run goes on."""
    return {"expired": expire_requests(actor=run.actor)}
