"""The aggregate, made once in ten seconds for everybody, in Redis.

One at a time makes it anew; the others are given what is there meanwhile, with its `cachedAt`. Without Redis it is
read from the database each time; with the database away, the last one is given for an hour.
"""

import secrets
import time
from typing import Any

import orjson
import redis
import structlog
from django.conf import settings
from django.db import DatabaseError

from apps.core.errors import Unavailable
from apps.monitoring import selectors

log = structlog.get_logger(__name__)

FRESH_SECONDS = 10
_KEPT_SECONDS = 3600
_REFRESHING_SECONDS = 5
_KEY = "steward:health:aggregate"
_LOCK = "steward:health:refreshing"
# Only whoever holds the lock lets go of it.
_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"
_AWAY = (redis.RedisError, OSError)


def aggregate() -> dict[str, Any]:
    """Every source and the whole, at most ten seconds old as long as the database answers.

    Raises:
        Unavailable: the database is away, and nothing was kept.
    """
    with _link() as link:
        try:
            kept = _read(link)
            return _body(kept) if kept is not None and _is_fresh(kept) else _refreshed(link, kept)
        except _AWAY as away:
            log.warning("health_cache_away", error=type(away).__name__)
    try:
        return selectors.aggregate()
    except DatabaseError as away:
        raise Unavailable("PostgreSQL does not answer, and neither does Redis.") from away


def _refreshed(link: "redis.Redis", kept: dict[str, Any] | None) -> dict[str, Any]:
    token = secrets.token_hex(8)
    if not link.set(_LOCK, token, nx=True, ex=_REFRESHING_SECONDS) and kept is not None:
        return _body(kept)
    try:
        # Somebody may have made it between our look and our lock.
        kept = _read(link)
        if kept is not None and _is_fresh(kept):
            return _body(kept)
        body = selectors.aggregate()
        # Before the lock is let go of: whoever takes it next finds this one fresh.
        link.set(_KEY, orjson.dumps({"at": time.time(), "body": body}), ex=_KEPT_SECONDS)
    except DatabaseError as away:
        if kept is None:
            raise Unavailable("PostgreSQL does not answer.") from away
        log.warning("health_aggregate_stale", cached_at=kept["body"]["cachedAt"])
        return _body(kept)
    finally:
        link.eval(_RELEASE, 1, _LOCK, token)
    return body


def _read(link: "redis.Redis") -> dict[str, Any] | None:
    stored = link.get(_KEY)
    found: dict[str, Any] | None = orjson.loads(stored) if isinstance(stored, bytes) else None
    return found


def _is_fresh(kept: dict[str, Any]) -> bool:
    return bool(time.time() - kept["at"] < FRESH_SECONDS)


def _body(kept: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = kept["body"]
    return body


def _link() -> "redis.Redis":
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1, retry=None)
