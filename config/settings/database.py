"""PostgreSQL under two roles, and the cache.

`default` is the application's role: it owns nothing and may only append to the audit trail. `owner` is the
role that migrates; without DATABASE_OWNER_URL a process can serve but not migrate.
"""

from typing import Any
from urllib.parse import unquote, urlsplit

from config.env import environment

env = environment()


def _connection(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    return {
        "ENGINE": "apps.core.database",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": env.DATABASE_MAX_AGE_SECONDS,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "application_name": "steward",
            "connect_timeout": 5,
            # Of apps.core.statements alone: what the ORM asks is bound by the client and never prepared.
            "prepare_threshold": 1 if env.DATABASE_PREPARED_STATEMENTS else None,
            # A peer that vanished without a word is noticed within some 15 s.
            "keepalives_idle": 5,
            "keepalives_interval": 3,
            "keepalives_count": 3,
            "tcp_user_timeout": 15_000,
            "options": f"-c statement_timeout={env.DATABASE_STATEMENT_SECONDS * 1000} -c lock_timeout=5000 "
            "-c idle_in_transaction_session_timeout=60000",
        },
    }


# PostgreSQL ends a statement in time; where even that is not heard, the connection is given up a little later.
DATABASE_ANSWER_SECONDS = env.DATABASE_STATEMENT_SECONDS + 5
DATABASES = {"default": _connection(env.DATABASE_URL)}
DATABASES["owner"] = _connection(env.DATABASE_OWNER_URL or env.DATABASE_URL)
# A migration may run long; only waiting for a lock is bounded (the migrate command tries again).
DATABASES["owner"]["ENGINE"] = "django.db.backends.postgresql"
DATABASES["owner"]["OPTIONS"] = {
    **DATABASES["owner"]["OPTIONS"],
    "application_name": "steward-owner",
    "options": "-c lock_timeout=2000",
}
DATABASE_OWNER_IS_CONFIGURED = bool(env.DATABASE_OWNER_URL)
APPLICATION_DATABASE_ROLE = DATABASES["default"]["USER"]

REDIS_URL = env.REDIS_URL
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "steward",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }
}
