"""Jobs of exports."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from apps.core.enums import JobEngine
from apps.core.errors import DomainError, Unavailable
from apps.core.jobs.registry import Run, job
from apps.exports.services import BUILD, build_export, end_exports, fail_export

_ATTEMPTS = 4


@job(BUILD, on=JobEngine.RQ, max_attempts=_ATTEMPTS)
def build(run: Run, *, export_id: str) -> dict[str, Any]:
    """Killed half-way, the next attempt begins anew; the file appears whole, the mail goes out once."""
    identity = UUID(export_id)
    try:
        return build_export(actor=run.actor, export_id=identity, tell=run.progress)
    except Exception as failure:
        refused = isinstance(failure, DomainError) and not isinstance(failure, Unavailable)
        if refused or run.attempt >= _ATTEMPTS:
            sentence = failure.message if isinstance(failure, DomainError) else type(failure).__name__
            fail_export(actor=run.actor, export_id=identity, error=sentence)
        raise


@job("exports.end", every=timedelta(minutes=10))
def end(run: Run) -> dict[str, Any]:
    """Killed half-way, the next run goes on."""
    return dict(end_exports(actor=run.actor))
