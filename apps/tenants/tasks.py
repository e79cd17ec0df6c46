"""Named jobs of tenants."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from apps.core.enums import JobEngine
from apps.core.jobs.registry import Run, job
from apps.core.principal import system
from apps.tenants import facts, services
from apps.tenants.services.purging import PURGE_JOB


@job(PURGE_JOB, on=JobEngine.RQ)
def purge(run: Run, *, purge_id: str) -> dict[str, Any]:
    """Killed anywhere, it goes on with the first store that has no line in the manifest."""
    return dict(services.run_purge(actor=run.actor, purge_id=UUID(purge_id), progress=run.progress))


@job("tenants.purge_expired_tests", every=timedelta(hours=1))
def purge_expired_tests(run: Run) -> dict[str, Any]:
    """Killed half-way, the next hour's run begins the rest."""
    return services.purge_expired_tests(actor=system("tenants.purge_expired_tests"))


@job("tenants.end_overrides", every=timedelta(minutes=1))
def end_overrides(run: Run) -> dict[str, Any]:
    """Killed half-way, the next minute's run ends the rest."""
    return {"ended": services.end_overrides(actor=system("tenants.end_overrides"))}


@job("tenants.rebuild_facts", every=timedelta(days=1))
def rebuild_facts(run: Run) -> dict[str, Any]:
    """Killed half-way, the next run begins anew: what was corrected stays corrected."""
    drifts = facts.rebuild(actor=system("tenants.rebuild_facts"))
    return {column: asdict(drift) for column, drift in drifts.items()}
