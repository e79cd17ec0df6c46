"""`@job`: a named function that a worker runs. Services enqueue by name and never import tasks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from apps.core.enums import JobEngine
from apps.core.principal import Principal


class Run(Protocol):
    """What a job's function learns of its run."""

    id: UUID
    actor: Principal
    attempt: int

    def progress(self, done: int, total: int, note: str = "") -> None:
        """Stores how far it is, for people who wait. Counts are the job's own units."""


Handler = Callable[..., dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class JobType:
    name: str
    handler: Handler
    engine: JobEngine
    queue: str
    max_attempts: int
    every: timedelta | None


_types: dict[str, JobType] = {}


def job(
    name: str,
    *,
    on: JobEngine = JobEngine.CELERY,
    queue: str | None = None,
    max_attempts: int = 5,
    every: timedelta | None = None,
) -> Callable[[Handler], Handler]:
    """Registers `function(run, **args)` as the job `name`.

    The function takes ids, calls one service and is safe to run twice: a killed worker's job runs again.
    A DomainError (other than Unavailable) ends the job as failed at once; anything else is tried again with
    growing pauses up to `max_attempts`. `every` repeats it by the scheduler.

    Raises:
        ValueError: the name is taken.
    """

    def register(function: Handler) -> Handler:
        if name in _types and _types[name].handler.__module__ != function.__module__:
            raise ValueError(f"the job {name!r} is registered already")
        default_queue = "default" if on is JobEngine.CELERY else "operator"
        _types[name] = JobType(
            name=name,
            handler=function,
            engine=on,
            queue=queue or default_queue,
            max_attempts=max_attempts,
            every=every,
        )
        return function

    return register


def job_type(name: str) -> JobType:
    """Raises KeyError for a name that no app registered."""
    return _types[name]


def job_types() -> list[JobType]:
    return sorted(_types.values(), key=lambda known: known.name)
