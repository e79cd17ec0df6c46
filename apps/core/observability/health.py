"""What a process needs before it can serve.

Ready means: the database answers and every migration is applied. Redis is reported and does not count against it:
where it is away, ordinary limits let through and jobs wait in their table.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor


@dataclass(slots=True)
class Readiness:
    """`parts` says of each part `ok` or what is wrong with it, `milliseconds` how long it took to ask; `missing`
    names those without which we can't serve."""

    parts: dict[str, str] = field(default_factory=dict)
    milliseconds: dict[str, float] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    degraded: list[str] = field(default_factory=list)

    @property
    def ready(self) -> bool:
        return not self.missing


@dataclass(slots=True)
class _Memory:
    """A migration is never unapplied under a running process: once all were there, they are."""

    migrated: bool = False


_memory = _Memory()


def readiness() -> Readiness:
    """Asks each part, with short time-outs."""
    found = Readiness()
    _note(found, "database", _database, needed=True)
    if "database" not in found.missing:
        _note(found, "migrations", _migrations, needed=True)
    _note(found, "redis", _redis, needed=False)
    return found


def _note(found: Readiness, part: str, ask: Callable[[], str | None], *, needed: bool) -> None:
    started = time.perf_counter()
    problem = ask()
    found.milliseconds[part] = round((time.perf_counter() - started) * 1000, 1)
    found.parts[part] = problem or "ok"
    if problem is not None:
        (found.missing if needed else found.degraded).append(part)


def _database() -> str | None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        connection.close()
        return "does not answer"
    return None


def _migrations() -> str | None:
    if _memory.migrated:
        return None
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "can't be read"
    if waiting:
        return f"{len(waiting)} not applied: run manage.py migrate"
    _memory.migrated = True
    return None


def _redis() -> str | None:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1, retry=None)
    try:
        client.ping()
    except (redis.RedisError, OSError):
        return "does not answer"
    finally:
        client.close()
    return None
