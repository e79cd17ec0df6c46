"""The servers of a home: which are ours to start, with which programs, keys and ports, and which of them run."""

import signal
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from apps.embedded import binaries, keys, postgres, processes
from apps.embedded.postgres import Postgres
from apps.embedded.state import Home, Trouble, locked, read_json, write_json
from apps.embedded.valkey import Valkey

LOCK_FILE = "engines.lock"
RECORD_FILE = "engines.json"


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


def stop(home: Home) -> None:
    """Stop the engines of a home, whoever uses them."""
    if not home.folder.exists():
        return
    with locked(home.file(LOCK_FILE)):
        stop_locked(home)


def stop_locked(home: Home) -> None:
    """Stop the servers of a home whose lock is held: Valkey, then PostgreSQL."""
    cache = recorded(home, "valkey")
    if cache is not None:
        processes.end(cache, with_signal=signal.SIGTERM, seconds=5)
    database = recorded(home, "postgres")
    if database is not None:
        postgres.stop(database)
    home.file(RECORD_FILE).unlink(missing_ok=True)
