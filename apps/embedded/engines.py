"""PostgreSQL and Valkey as a context: running when you need them, gone when nobody does.

    os.environ.update(ensure_running("test"))

starts both for a test run, or joins those that another process of this checkout started; the last one that
leaves stops them. Where DATABASE_URL or REDIS_URL names a real server, that one serves and none is started.
"""

import atexit
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from apps.embedded import binaries, keys, postgres, processes, valkey
from apps.embedded.postgres import Postgres
from apps.embedded.state import Hold, Home, Trouble, home_of, locked, read_json, write_json
from apps.embedded.valkey import Valkey

LOCK_FILE = "engines.lock"
USERS_FILE = "engines.users"
RECORD_FILE = "engines.json"

# Servers that this process started run on by themselves: without a reference, Popen would warn about each.
_started: list[subprocess.Popen[bytes]] = []
_holds: dict[Home, Hold] = {}


@dataclass(frozen=True)
class Needs:
    """Which engines are ours to start: those whose address the environment doesn't name."""

    postgres: bool
    valkey: bool


def needs_of(given: Mapping[str, str]) -> Needs:
    """Which engines an environment leaves to us.

    Raises:
        Trouble: the owner's address is named, but not the application's.
    """
    if given.get("DATABASE_OWNER_URL") and not given.get("DATABASE_URL"):
        raise Trouble(
            "DATABASE_OWNER_URL is set without DATABASE_URL: set both, or neither for the embedded one."
        )
    return Needs(postgres=not given.get("DATABASE_URL"), valkey=not given.get("REDIS_URL"))


def ensure_running(profile: str = "test", *, home: Home | None = None) -> dict[str, str]:
    """Start what isn't running yet and return the addresses, for as long as this process lives.

    Safe to call twice, and from several processes at once. Addresses that the environment names are returned
    as they are, and nothing is started for them.

    Raises:
        Trouble: an engine can't be started; the text says what to do.
    """
    needs = needs_of(os.environ)
    addresses = {
        name: os.environ[name]
        for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")
        if os.environ.get(name)
    }
    if not (needs.postgres or needs.valkey):
        return addresses
    home = home or home_of(profile)
    home.prepare()
    with locked(home.file(LOCK_FILE)):
        if home not in _holds:
            hold = Hold(home.file(USERS_FILE))
            hold.share()
            _holds[home] = hold
            atexit.register(leave, home)
        if needs.postgres:
            addresses |= _ensure_postgres(home)
        if needs.valkey:
            addresses |= _ensure_valkey(home)
    return addresses


def leave(home: Home) -> None:
    """Need the engines no longer; they stop when nobody else does either."""
    hold = _holds.pop(home, None)
    if hold is None or not home.folder.exists():
        return
    with locked(home.file(LOCK_FILE)):
        if hold.claim():
            _stop(home)
        hold.release()


def stop(home: Home) -> None:
    """Stop the engines of a home, whoever uses them."""
    if not home.folder.exists():
        return
    with locked(home.file(LOCK_FILE)):
        _stop(home)


def postgres_of(home: Home) -> Postgres:
    """The database server of a home as it would start now: its programs, its keys, its port."""
    programs = binaries.postgres_programs(home)
    secrets = keys.load_keys(home, data=postgres.data_folder(home))
    found = Postgres(home, programs, secrets, keys.known_port(home, "postgres") or 0)
    if postgres.running(found) is not None and found.port:
        return found
    return Postgres(home, programs, secrets, keys.choose_port(home, "postgres"))


def valkey_of(home: Home) -> Valkey:
    """The Valkey of a home as it would start now."""
    secrets = keys.load_keys(home, data=postgres.data_folder(home))
    program = binaries.valkey_program(home)
    found = Valkey(home, program, secrets, keys.known_port(home, "valkey") or 0)
    if recorded(home, "valkey") is not None and found.port and found.answers():
        return found
    return Valkey(home, program, secrets, keys.choose_port(home, "valkey"))


def postgres_addresses(server: Postgres) -> dict[str, str]:
    """The variables that name a database server."""
    return {
        "DATABASE_URL": server.url(postgres.APPLICATION),
        "DATABASE_OWNER_URL": server.url(postgres.OWNER),
    }


def _ensure_postgres(home: Home) -> dict[str, str]:
    server = postgres_of(home)
    if postgres.running(server) is None or not server.answers():
        left = postgres.running(server)
        if left is not None:
            postgres.stop(left)
        postgres.make_cluster(server)
        log = home.file("postgres.log")
        process = _spawn(server, log)
        postgres.wait_until_ready(server, process, log)
        record(home, "postgres", process.pid)
    postgres.make_roles(server)
    return postgres_addresses(server)


def _ensure_valkey(home: Home) -> dict[str, str]:
    server = valkey_of(home)
    if recorded(home, "valkey") is None or not server.answers():
        log = home.file("valkey.log")
        process = _spawn(server, log)
        valkey.wait_until_ready(server, process, log)
        record(home, "valkey", process.pid)
    return {"REDIS_URL": server.url}


def _spawn(server: Postgres | Valkey, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        process = server.spawn(output)
    _started.append(process)
    return process


def record(home: Home, name: str, pid: int) -> None:
    """Remember a server of ours, so that a later start knows it even after everything was killed."""
    process = processes.identify(pid)
    if process is not None:
        write_json(home.file(RECORD_FILE), read_json(home.file(RECORD_FILE)) | {name: asdict(process)})


def recorded(home: Home, name: str) -> processes.Identity | None:
    """The process that was remembered under this name, while it lives."""
    known = read_json(home.file(RECORD_FILE)).get(name)
    if not isinstance(known, dict):
        return None
    process = processes.Identity(int(known["pid"]), str(known["started"]))
    return process if processes.is_alive(process) else None


def all_recorded(home: Home) -> dict[str, processes.Identity]:
    """Every remembered process that lives, in the order it was started."""
    found = {name: recorded(home, name) for name in read_json(home.file(RECORD_FILE))}
    return {name: process for name, process in found.items() if process is not None}


def _stop(home: Home) -> None:
    cache = recorded(home, "valkey")
    if cache is not None:
        processes.end(cache, with_signal=signal.SIGTERM, seconds=5)
    database = recorded(home, "postgres")
    if database is not None:
        postgres.stop(database)
    home.file(RECORD_FILE).unlink(missing_ok=True)
