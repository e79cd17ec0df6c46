"""Jobs that the tests of apps.core.jobs run; each run raises the revision of a topic, which counts its effects."""

import os
import time
from datetime import timedelta
from typing import Any

from django.db import connection

from apps.core import live
from apps.core.enums import JobEngine
from apps.core.errors import Conflict, Unavailable
from apps.core.jobs.registry import Run, job
from apps.core.observability.context import request_id
from apps.core.principal import PrincipalKind


def count(topic: str) -> int:
    """How often a job with this topic took effect."""
    return live.revision(topic)


@job("test.effect")
def effect(run: Run, *, topic: str, seconds: float = 0.0) -> dict[str, Any]:
    live.bump([topic])
    time.sleep(seconds)
    return {
        "attempt": run.attempt,
        "actor": run.actor.id,
        "via": run.actor.via,
        "system": run.actor.kind is PrincipalKind.SYSTEM,
        "request_id": request_id(),
    }


@job("test.slow")
def slow(run: Run, *, topic: str, seconds: float) -> None:
    """Says which process it runs in, as its progress."""
    live.bump([topic])
    run.progress(os.getpid(), 0)
    time.sleep(seconds)


@job("test.progress", on=JobEngine.RQ)
def progress(run: Run, *, topic: str) -> None:
    live.bump([topic])
    run.progress(3, 10, "rows")


@job("test.broken", max_attempts=3)
def broken(run: Run, *, topic: str) -> None:
    live.bump([topic])
    raise RuntimeError(f"attempt {run.attempt}")


@job("test.refused")
def refused(_run: Run, *, topic: str) -> None:
    live.bump([topic])
    raise Conflict("It is taken.")


@job("test.away")
def away(_run: Run, *, topic: str) -> None:
    live.bump([topic])
    raise Unavailable("The engine is away.")


@job("test.cut")
def cut(run: Run, *, topic: str) -> None:
    """Loses its database connection at the first attempt."""
    live.bump([topic])
    if run.attempt == 1:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


@job("test.hourly", every=timedelta(hours=1))
def hourly(_run: Run) -> None:
    live.bump(["hourly"])


@job("test.unstorable", max_attempts=1)
def unstorable(_run: Run, *, what: str) -> dict[str, Any]:
    """Ends with something that PostgreSQL's JSON can't hold."""
    if what == "error":
        raise RuntimeError("NUL \x00, half a pair \ud800, jane@acme.com, Bearer abcdefghijkl")
    return {"result": {"object": object(), "nan": float("nan"), "nul": "a\x00b"}[what]}
