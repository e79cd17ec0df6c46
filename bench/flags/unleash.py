"""A local unleash-server (npm), with a database of its own on the same PostgreSQL."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg

from apps.embedded import nodejs, processes
from apps.embedded.postgres import SUPERUSER, Postgres
from bench.flags import world
from bench.server import Server

FOLDER = Path(__file__).parent / "unleash"
ADMIN = "*:*.bench-admin-0123456789abcdef"
FRONTEND = "default:development.bench-frontend-0123456789abcdef"
CLIENT = "default:development.bench-client-0123456789abcdef"
_FEATURES = "/api/admin/projects/default/features"
_ENVIRONMENT = "environments/development"


@contextlib.contextmanager
def serving(database: Postgres, log: Path) -> Iterator[Server]:
    """Started, filled with the same flags, and answering with them.

    Raises:
        TimeoutError: it was not ready within a minute.
    """
    with psycopg.connect(database.url(SUPERUSER), autocommit=True) as link:
        link.execute("CREATE DATABASE unleash")
    port = processes.free_port(database.port + 20)
    environment = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database.url(SUPERUSER, "unleash"),
        "DATABASE_SSL": "false",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_PORT": str(port),
        "NODE_ENV": "production",
        "LOG_LEVEL": "error",
        "CHECK_VERSION": "false",
        "SEND_TELEMETRY": "false",
        # Raised, as Steward's are: the counting is still paid for.
        "SDK_API_RATE_LIMIT_PER_MINUTE": "100000000",
        "TOKEN_AUTHENTICATION_RATE_LIMIT_PER_MINUTE": "100000000",
        "INIT_ADMIN_API_TOKENS": ADMIN,
        "INIT_FRONTEND_API_TOKENS": FRONTEND,
        "INIT_CLIENT_API_TOKENS": CLIENT,
    }
    place = nodejs.installed(FOLDER)
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  of our own lock file
            [str(nodejs.NODE), "node_modules/unleash-server/dist/server.js"],
            cwd=place, env=environment, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    server = Server(f"http://127.0.0.1:{port}", process.pid)
    try:
        _wait(server)
        _fill(server)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)


def _wait(server: Server) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{server.url}/health", timeout=2).status_code == 200:
                return
        time.sleep(0.3)
    raise TimeoutError("Unleash was not ready within a minute")


def _fill(server: Server) -> None:
    with httpx.Client(base_url=server.url, headers={"Authorization": ADMIN}, timeout=30) as admin:
        for name in ("plan", "country"):
            admin.post("/api/admin/context", json={"name": name}).raise_for_status()
        for number in range(world.FLAGS):
            at = f"{_FEATURES}/{world.key_of(number)}/{_ENVIRONMENT}"
            named = {"name": world.key_of(number), "type": "release"}
            admin.post(_FEATURES, json=named).raise_for_status()
            admin.post(f"{at}/strategies", json=world.strategy(number)).raise_for_status()
            if world.is_on(number):
                admin.post(f"{at}/on").raise_for_status()
    _until_known(server)


def _until_known(server: Server) -> None:
    """It serves from memory, refreshed every few seconds."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = httpx.get(f"{server.url}/api/client/features", headers={"Authorization": CLIENT}, timeout=10)
        asked = httpx.get(
            f"{server.url}/api/frontend",
            params={"userId": "tnt_x", "properties[plan]": "pro", "properties[country]": "DE"},
            headers={"Authorization": FRONTEND},
            timeout=10,
        )
        if len(found.json()["features"]) == world.FLAGS and asked.json()["toggles"]:
            return
        time.sleep(0.5)
    raise TimeoutError("Unleash did not serve the flags within 30 s")
