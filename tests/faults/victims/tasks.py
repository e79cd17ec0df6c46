"""A slow job with one effect: a row whose key names it, and whose audit row commits with it."""

import time

from apps.core import events
from apps.core.enums import JobEngine
from apps.core.jobs.registry import Run, job
from apps.core.models import LiveTopic
from apps.core.write import Target, write

_PART_SECONDS = 0.04


def _effect(run: Run, engine: str, tenant_id: str) -> None:
    name = f"effect:{engine}:{tenant_id}"
    time.sleep(_PART_SECONDS)
    if LiveTopic.objects.filter(name=name).exists():
        return
    with write("victim.effect", actor=run.actor, target=Target(type="victim", id=name)):
        LiveTopic.objects.create(name=name, revision=1)
        time.sleep(_PART_SECONDS)
    # The effect is committed; killed from here on, the job runs again and must change nothing.
    time.sleep(_PART_SECONDS)


@job("victims.celery", max_attempts=1000)
def on_celery(run: Run, *, tenant_id: str) -> None:
    _effect(run, "celery", tenant_id)


@job("victims.rq", on=JobEngine.RQ, max_attempts=1000)
def on_rq(run: Run, *, tenant_id: str) -> None:
    _effect(run, "rq", tenant_id)


for _name in ("victims.celery", "victims.rq"):
    events.subscribe("tenant.test_created", job=_name)
