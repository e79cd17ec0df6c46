"""The environment of a test process: whose engines, and which Redis database is its own."""

import atexit
import os
from collections.abc import MutableMapping
from urllib.parse import urlsplit

import redis

_CLAIM_SECONDS = 7200
_INHERIT = """
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('set', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""


def prepare(environ: MutableMapping[str, str]) -> None:
    """Gives this process a Redis database that no other test process uses.

    Raises:
        SystemExit: no engines are named in the environment.
    """
    if "DATABASE_URL" not in environ or "REDIS_URL" not in environ:
        raise SystemExit(
            "The tests need PostgreSQL and Redis. `make test` starts them; for a part of the tests: "
            "python -m apps.embedded run --profile test -- python -m pytest tests/core"
        )
    if environ.get("STEWARD_TEST_REDIS_OWNER") == str(os.getpid()):
        return
    shared = urlsplit(environ["REDIS_URL"])._replace(path="/0").geturl()
    with redis.Redis.from_url(shared) as link:
        databases = int(link.config_get("databases")["databases"])
        number = _claim(link, databases)
    environ["REDIS_URL"] = urlsplit(shared)._replace(path=f"/{number}").geturl()
    environ["STEWARD_TEST_REDIS_OWNER"] = str(os.getpid())
    atexit.register(_release, shared, number)


def _claim(link: redis.Redis, databases: int) -> int:
    for number in range(1, databases):
        if link.set(f"test-database:{number}", os.getpid(), nx=True, ex=_CLAIM_SECONDS):
            return number
        owner = int(link.get(f"test-database:{number}") or 0)
        # Two may see at the same time that the owner is gone: one inherits.
        heir = (f"test-database:{number}", owner, os.getpid(), _CLAIM_SECONDS)
        if owner and not _alive(owner) and link.eval(_INHERIT, 1, *heir):
            return number
    raise SystemExit(f"All {databases - 1} Redis databases are in use by test processes.")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _release(shared: str, number: int) -> None:
    with redis.Redis.from_url(shared) as link:
        link.delete(f"test-database:{number}")
