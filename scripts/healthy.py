"""Whether a container works, for its health check: `python scripts/healthy.py web [port]` or `rq`. Exit code 0 or 1.

Small on purpose: it runs every few seconds, and loading Django would cost more than what it asks about. A worker of
Celery is asked by Celery (`celery inspect ping`); the scheduler only ticks, and ends when it can't.
"""

import os
import socket
import sys
import time
import urllib.request
from datetime import UTC, datetime

import redis

# A worker of RQ notes that it lives at least this often, also while it waits.
_RQ_SILENCE_SECONDS = 480


def main(arguments: list[str]) -> int:
    """0 where the process of this kind in this container works, 1 otherwise."""
    kind, *options = arguments
    try:
        healthy = rq() if kind == "rq" else web(*options)
    except (OSError, redis.RedisError) as failed:
        sys.stderr.write(f"{kind}: {failed}\n")
        return 1
    return 0 if healthy else 1


def web(port: str = "8000") -> bool:
    """The server answers, and it could serve: /readyz asks the database and the migrations."""
    host = os.environ.get("ALLOWED_HOSTS", "127.0.0.1").split(",")[0].strip().lstrip(".*")
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/readyz", headers={"Host": host})
    with urllib.request.urlopen(asked, timeout=2.5) as answer:  # noqa: S310  ourselves
        return bool(answer.status == 200)


def rq() -> bool:
    """A worker of this machine has shown lately that it lives."""
    host = socket.gethostname().encode()
    with redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=2, socket_connect_timeout=2) as link:
        for key in link.smembers("rq:workers"):
            name, beat = link.hmget(key, "hostname", "last_heartbeat")
            if name == host and beat and _age(beat.decode()) < _RQ_SILENCE_SECONDS:
                return True
    return False


def _age(text: str) -> float:
    written = datetime.fromisoformat(text)
    return time.time() - (written if written.tzinfo else written.replace(tzinfo=UTC)).timestamp()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
