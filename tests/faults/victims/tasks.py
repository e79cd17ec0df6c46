"""A slow job with one effect: a second job whose key names the effect."""

import time

from apps.core.enums import JobEngine
from apps.core.jobs.registry import Run, job
from apps.core.write import Target, write


def _effect(run: Run, name: str, seconds: float) -> None:
    time.sleep(seconds / 2)
    with write("victim.effect", actor=run.actor, target=Target(type="victim", id=name)) as w:
        w.enqueue("victims.leaf", unique_key=f"leaf:{name}", of=name)
        w.touch("victims")
    # The effect is committed; killed from here on, the job runs again and must change nothing.
    time.sleep(seconds / 2)


@job("victims.slow", max_attempts=50)
def slow(run: Run, *, name: str, seconds: float) -> None:
    _effect(run, name, seconds)


@job("victims.slow_rq", on=JobEngine.RQ, max_attempts=50)
def slow_rq(run: Run, *, name: str, seconds: float) -> None:
    _effect(run, name, seconds)


@job("victims.leaf")
def leaf(run: Run, *, of: str) -> None:
    """Exists to be counted."""
