"""PostgreSQL and Valkey as a context: running when you need them, gone when nobody does.

    os.environ.update(ensure_running("test"))

starts both for a test run, or joins those that another process of this checkout started; the last one that
leaves stops them. Where DATABASE_URL or REDIS_URL names a real server, that one serves and none is started.
"""

import argparse
import atexit
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TypeVar

from apps.embedded import environment, keys, postgres, processes, roles, servers, valkey
from apps.embedded.postgres import Postgres
from apps.embedded.state import OBJECTS_FOLDER, Hold, Home, Trouble, home_of, locked
from apps.embedded.valkey import Valkey

USERS_FILE = "engines.users"
PORT_TRIES = 5

S = TypeVar("S", Postgres, Valkey)

# Servers that this process started run on by themselves: without a reference, Popen would warn about each.
_started: list[subprocess.Popen[bytes]] = []
_holds: dict[Home, Hold] = {}


def ensure_running(profile: str = "test", *, home: Home | None = None) -> dict[str, str]:
    """Start what isn't running yet and return the addresses, for as long as this process lives.

    Safe to call twice, and from several processes at once. Addresses that the environment names are returned
    as they are, and nothing is started for them.

    Raises:
        Trouble: an engine can't be started; the text says what to do.
    """
    needs = servers.needs_of(os.environ)
    addresses = {
        name: os.environ[name]
        for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")
        if os.environ.get(name)
    }
    if not (needs.postgres or needs.valkey):
        return addresses
    home = home or home_of(profile)
    home.prepare()
    with locked(home.file(servers.LOCK_FILE)):
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
    with locked(home.file(servers.LOCK_FILE)):
        if hold.claim():
            servers.stop_locked(home)
        hold.release()


def _ensure_postgres(home: Home) -> dict[str, str]:
    server = servers.postgres_of(home)
    if postgres.running(server) is None or not server.answers():
        left = postgres.running(server)
        if left is not None:
            postgres.stop(left)
        postgres.make_cluster(server)
        server = _started_on_a_free_port(servers.postgres_of, _start_postgres, home)
    roles.make_roles(server)
    return servers.postgres_addresses(server)


def _start_postgres(home: Home, server: Postgres) -> None:
    log = home.file("postgres.log")
    process = _spawn(server, log)
    postgres.wait_until_ready(server, process, log)
    servers.record(home, "postgres", process.pid)


def _ensure_valkey(home: Home) -> dict[str, str]:
    server = servers.valkey_of(home)
    if servers.recorded(home, "valkey") is None or not server.answers():
        server = _started_on_a_free_port(servers.valkey_of, _start_valkey, home)
    return {"REDIS_URL": server.url}


def _start_valkey(home: Home, server: Valkey) -> None:
    log = home.file("valkey.log")
    process = _spawn(server, log)
    valkey.wait_until_ready(server, process, log)
    servers.record(home, "valkey", process.pid)


def _started_on_a_free_port(choose: Callable[[Home], S], start: Callable[[Home, S], None], home: Home) -> S:
    """Starts a server; again on the next port where another run took this one after it was looked at.

    Raises:
        Trouble: it did not start, and not for the port's sake.
    """
    for _ in range(PORT_TRIES):
        server = choose(home)
        try:
            start(home, server)
        except Trouble:
            if processes.is_free(server.port):
                raise
        else:
            return server
    raise Trouble(f"{PORT_TRIES} ports in turn were taken by others while a server was starting: try again.")


def _spawn(server: Postgres | Valkey, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        process = server.spawn(output)
    _started.append(process)
    return process


def run_command(options: argparse.Namespace) -> int:
    """Start the engines, run the command with their addresses, stop them; the command's exit code."""
    command = options.arguments[1:] if options.arguments[:1] == ["--"] else options.arguments
    if not command:
        raise Trouble("Say what to run: python -m apps.embedded run --profile test -- python -m pytest")
    if options.profile == "up":
        raise Trouble("The profile `up` belongs to `make up`: take `test`, or a word of your own.")
    home = home_of(options.profile)
    given = environment.without_ours(os.environ)
    os.environ.clear()
    os.environ.update(given)
    addresses = ensure_running(home=home) | {"OBJECT_STORE_ROOT": str(home.file(OBJECTS_FOLDER))}
    secrets = keys.load_keys(home, data=postgres.data_folder(home))
    variables = given | environment.application_environment(given, secrets, addresses, ports=None)
    try:
        return _run_and_pass_signals_on(command, variables)
    except FileNotFoundError:
        raise Trouble(f"There is no program {command[0]}.") from None
    finally:
        leave(home)


def _run_and_pass_signals_on(command: list[str], variables: dict[str, str]) -> int:
    """Run a command; its exit code. Who ends us ends the command, and the engines only after it."""
    process: subprocess.Popen[bytes] | None = None
    told: list[int] = []

    def pass_on(number: int, frame: FrameType | None) -> None:
        del frame
        told.append(number)
        if process is not None:
            process.send_signal(number)

    # A terminal's Ctrl-C reaches the command by itself.
    signal.signal(signal.SIGINT, lambda _number, _frame: told.append(signal.SIGINT))
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    process = subprocess.Popen(command, env=variables)
    code = process.wait()
    return 128 + told[-1] if told else code if code >= 0 else 128 - code
