"""What `make up` runs, and in which order: engines, then the database's content, then the processes that serve."""

import argparse
import contextlib
import hashlib
import http.client
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from signal import SIGINT, SIGTERM

from apps.embedded import environment, keys, postgres, processes, servers
from apps.embedded.postgres import Postgres
from apps.embedded.state import (
    FLAGS_FILE,
    OBJECTS_FOLDER,
    REPOSITORY,
    Hold,
    Home,
    Trouble,
    home_of,
    notice,
    read_json,
    remove,
    write_json,
)
from apps.embedded.supervisor import Program, Stopped, Supervisor, spawn_command

LOCK_FILE = "up.lock"
PREPARED_FILE = "prepared.json"
SUPERVISOR = "supervisor"
METRICS_FOLDER = "metrics"
DEFAULT_WEB_PORT = 8000
READY_SECONDS = 90
# The last stage ends first: what serves, then Valkey, then PostgreSQL.
POSTGRES_STAGE, VALKEY_STAGE, SERVING_STAGE = 1, 2, 3
STREAM_THREADS = 128
# Below the threads: what asks for something else there still finds one.
STREAMS = 100
WORKER_OPTIONS = (
    "--concurrency=2",
    "--prefetch-multiplier=1",
    "--without-gossip",
    "--without-mingle",
    "--queues=default",
)
# A trial runs as whoever started it and serves files from where they lie: two warnings that say nothing new.
QUIETLY = {
    "PYTHONWARNINGS": "ignore:No directory at,ignore:You're running the worker with superuser privileges"
}


@dataclass
class Stack:
    """One run of `make up`."""

    home: Home
    supervisor: Supervisor
    given: dict[str, str]
    variables: dict[str, str]
    ports: environment.Ports
    operator: str = ""


def up_command(options: argparse.Namespace) -> int:
    """Start everything, keep it running until Ctrl-C or SIGTERM, stop everything; the exit code.

    Raises:
        Trouble: something is in the way; the text says what to do.
    """
    home = home_of("up")
    home.prepare()
    lock = Hold(home.file(LOCK_FILE))
    if not lock.claim():
        raise Trouble(already_running(home))
    began = time.monotonic()
    given = environment.without_ours(os.environ)
    end_leftovers(home)
    if options.reset:
        begin_anew(home, given)
    supervisor = Supervisor(sys.stdout, on_start=lambda name, pid: servers.record(home, name, pid))
    supervisor.heed_signals()
    servers.record(home, SUPERVISOR, os.getpid())
    try:
        stack = _start(home, supervisor, given)
        supervisor.say(f"ready after {time.monotonic() - began:.1f} s")
        print(table(stack), flush=True)
        supervisor.watch()
    except Stopped:
        pass
    except Trouble:
        forget_migrations(home)
        raise
    finally:
        supervisor.stop()
        home.file(servers.RECORD_FILE).unlink(missing_ok=True)
        lock.release()
    supervisor.say("everything is stopped; `make up` starts it again with the same data")
    return 0


def already_running(home: Home) -> str:
    """What a second `make up` is told."""
    process = servers.recorded(home, SUPERVISOR)
    number = f" (process {process.pid})" if process else ""
    return (
        f"Steward is running already{number}: `make env` prints its addresses. Press Ctrl-C where it runs, "
        "or `.venv/bin/python -m apps.embedded stop`, to stop it."
    )


def end_leftovers(home: Home) -> None:
    """End what a supervisor that was killed left running: the last one started first, the database last."""
    left = servers.all_recorded(home)
    left.pop(SUPERVISOR, None)
    if not left:
        home.file(servers.RECORD_FILE).unlink(missing_ok=True)
        return
    notice(f"an earlier run was killed and left {', '.join(left)} running: ending them first.")
    for name in [name for name in left if name not in {"postgres", "valkey"}] + ["valkey", "postgres"]:
        if name in left:
            processes.end(left[name], with_signal=SIGINT if name == "postgres" else SIGTERM, seconds=10)
            processes.kill_group(left[name].pid)
    home.file(servers.RECORD_FILE).unlink(missing_ok=True)


def begin_anew(home: Home, given: Mapping[str, str]) -> None:
    """Delete the embedded database, its keys and what was remembered. A real server's data stay."""
    if given.get("DATABASE_URL"):
        notice("RESET=1 leaves the server in DATABASE_URL alone; only embedded data are deleted.")
    remove(postgres.data_folder(home))
    remove(home.file(OBJECTS_FOLDER))
    for name in (
        keys.KEYS_FILE,
        keys.PORTS_FILE,
        PREPARED_FILE,
        environment.RECORD_FILE,
        servers.RECORD_FILE,
        FLAGS_FILE,
    ):
        home.file(name).unlink(missing_ok=True)


def _start(home: Home, supervisor: Supervisor, given: dict[str, str]) -> Stack:
    needs = servers.needs_of(given)
    web_port = wanted_web_port(given)
    addresses: dict[str, str] = {
        "OBJECT_STORE_ROOT": str(home.file(OBJECTS_FOLDER)),
        "FLAGS_SNAPSHOT_FILE": str(home.file(FLAGS_FILE)),
    }
    programs: list[Program] = []
    if needs.postgres:
        database = servers.postgres_of(home)
        postgres.make_cluster(database)
        programs.append(postgres_program(database))
        addresses |= servers.postgres_addresses(database)
    if needs.valkey:
        cache = servers.valkey_of(home)
        programs.append(Program("valkey", VALKEY_STAGE, lambda: cache.spawn(subprocess.PIPE), cache.answers))
        addresses["REDIS_URL"] = cache.url
    compiling = compile_bytecode()
    supervisor.start(programs, within_seconds=postgres.START_SECONDS)
    if needs.postgres:
        supervisor.run_to_end("roles", [sys.executable, "-m", "apps.embedded.roles"], dict(os.environ))
    ports = environment.Ports(
        web=web_port,
        stream=keys.choose_port(home, "stream"),
        smtp=keys.choose_port(home, "smtp"),
        mailbox=keys.choose_port(home, "mailbox"),
    )
    secrets = keys.load_keys(home, data=postgres.data_folder(home))
    own = environment.application_environment(given, secrets, addresses, ports=ports)
    stack = Stack(home, supervisor, given, own, ports)
    compiling.wait()
    prepare_database(stack)
    supervisor.start(serving_programs(stack), within_seconds=READY_SECONDS)
    environment.remember(home, own, given=given)
    return stack


def wanted_web_port(given: Mapping[str, str]) -> int:
    """The port that people open: 8000, or STEWARD_PORT.

    Raises:
        Trouble: it isn't a port, or something listens there.
    """
    written = given.get("STEWARD_PORT") or str(DEFAULT_WEB_PORT)
    if not written.isdigit() or not 0 < int(written) < 65536:
        raise Trouble(f"STEWARD_PORT is a number between 1 and 65535, not {written!r}.")
    port = int(written)
    if not processes.is_free(port):
        raise Trouble(
            f"Port {port} is in use by {processes.who_listens(port)}. Stop that program, or choose another port: "
            f"`STEWARD_PORT={processes.free_port(port + 80)} make up`."
        )
    return port


def postgres_program(server: Postgres) -> Program:
    """PostgreSQL under the supervisor. Before each start a killed server's lock file is cleared away."""

    def spawn() -> subprocess.Popen[bytes]:
        left = postgres.running(server)
        if left is not None:
            postgres.stop(left)
        return server.spawn(subprocess.PIPE)

    return Program("postgres", POSTGRES_STAGE, spawn, server.answers, stop_signal=SIGINT, stop_seconds=30)


def prepare_database(stack: Stack) -> None:
    """Migrate what isn't migrated; the first time also fill in demo data and make the operator.

    Where our own parts lie at other addresses than last time, they are registered anew as sources of health.
    """
    database = hashlib.sha256(stack.variables["DATABASE_URL"].encode()).hexdigest()[:16]
    done = read_json(stack.home.file(PREPARED_FILE))
    if done.get("database") != database:
        done = {"database": database}
    migrations = digest_of_migrations()
    if done.get("migrations") != migrations:
        _manage(stack, "migrate", "migrate")
    if not done.get("seed"):
        _manage(stack, "seed", "seed")
    if not done.get("operator"):
        stack.operator = _manage(stack, "operator", "bootstrap_operator")
    watched = environment.own_parts(stack.ports, mailbox="STEWARD_MAILBOX_URL" in stack.variables)
    if done.get("watched") != watched:
        _manage(stack, "health", "seed_health", *watched)
    done |= {"migrations": migrations, "seed": True, "operator": True, "watched": watched}
    write_json(stack.home.file(PREPARED_FILE), done)


def _manage(stack: Stack, name: str, *command: str) -> str:
    variables = stack.given | stack.variables
    return stack.supervisor.run_to_end(name, [sys.executable, "manage.py", *command], variables)


def digest_of_migrations() -> str:
    """Of every file that decides how the tables look: ours, and the versions of the packages that bring some."""
    digest = hashlib.sha256()
    for path in [*sorted(REPOSITORY.glob("apps/*/migrations/*.py")), REPOSITORY / "requirements.lock"]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def forget_migrations(home: Home) -> None:
    """Migrate at the next start, whatever is remembered."""
    done = read_json(home.file(PREPARED_FILE))
    if done.pop("migrations", None):
        write_json(home.file(PREPARED_FILE), done)


def serving_programs(stack: Stack) -> list[Program]:
    """Everything that serves or works, with one entry in the log each."""
    ports, variables = stack.ports, stack.given | stack.variables | QUIETLY
    metrics = stack.home.file(METRICS_FOLDER)
    remove(metrics)
    metrics.mkdir(mode=0o700)

    def program(
        name: str, command: list[str], *, port: int = 0, path: str = "", line: str = "", **own: str
    ) -> Program:
        asked = partial(responds, f"127.0.0.1:{port}", path) if port else None
        # One /metrics for all of them. Not RQ: it forks for each job, and each process leaves its files behind.
        shared = {} if name == "rq" else {"PROMETHEUS_MULTIPROC_DIR": str(metrics)}
        environment = variables | shared | own
        return Program(name, SERVING_STAGE, partial(spawn_command, command, environment), asked, line)

    programs = [
        program("web", granian(ports.web, workers=1, threads=8), port=ports.web, path="/readyz"),
        program(
            "stream",
            granian(ports.stream, workers=1, threads=STREAM_THREADS),
            port=ports.stream,
            path="/healthz",
            FLAG_STREAMS=str(STREAMS),
        ),
        program("worker", celery("worker", *WORKER_OPTIONS, "--loglevel=INFO"), line=" ready."),
        program("scheduler", celery("beat", "--pidfile=", "--loglevel=WARNING"), line="is starting"),
        program("rq", [sys.executable, "manage.py", "rqworker", "operator"], line="Listening on"),
    ]
    if "STEWARD_MAILBOX_URL" in stack.variables:
        mailbox = [sys.executable, "-m", "apps.embedded", "mailbox", str(ports.smtp), str(ports.mailbox)]
        programs.insert(0, program("mailbox", mailbox, port=ports.mailbox, path="/messages"))
    return programs


def compile_bytecode() -> subprocess.Popen[bytes]:
    """Compile our own code once: with PYTHONDONTWRITEBYTECODE set, each process would do it at every start."""
    return subprocess.Popen([sys.executable, "-m", "compileall", "-qq", "apps", "config"], cwd=REPOSITORY)


def granian(port: int, *, workers: int, threads: int) -> list[str]:
    """A granian over WSGI on one port of 127.0.0.1."""
    return [
        sys.executable, "-m", "granian", "config.wsgi:application", "--interface", "wsgi", "--host", "127.0.0.1",
        "--port", str(port), "--workers", str(workers), "--blocking-threads", str(threads), "--no-ws", "--http", "1",
        "--respawn-failed-workers", "--workers-kill-timeout", "10",
    ]  # fmt: skip


def celery(*arguments: str) -> list[str]:
    """Celery's command line on our application."""
    return [sys.executable, "-m", "celery", "--quiet", "-A", "config.celery", *arguments]


def responds(address: str, path: str) -> bool:
    """Whether a GET is answered with 200 within a second."""
    connection = http.client.HTTPConnection(address, timeout=1)
    with contextlib.closing(connection):
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False


def table(stack: Stack) -> str:
    """Addresses and keys, to read and to copy."""
    found = stack.variables
    rows = [
        ("Back office", f"{found['STEWARD_URL']}/backoffice/"),
        ("API", found["STEWARD_URL"]),
        ("Streams", found["STEWARD_STREAM_URL"]),
        ("Mail", found.get("STEWARD_MAILBOX_URL", f"sent through {stack.given.get('EMAIL_URL', '')}")),
        ("Automation key", found["STEWARD_ADMIN_KEY"]),
        ("PostgreSQL", found.get("DATABASE_URL", stack.given.get("DATABASE_URL", ""))),
        ("  as its owner", found.get("DATABASE_OWNER_URL", stack.given.get("DATABASE_OWNER_URL", ""))),
        ("Valkey", found.get("REDIS_URL", stack.given.get("REDIS_URL", ""))),
        ("In a shell", 'eval "$(make -s env)"'),
    ]
    lines = ["", *(f"  {name:<16}{value}" for name, value in rows), ""]
    if stack.operator:
        lines += [
            "  The operator, shown this once:",
            *(f"    {line}" for line in stack.operator.splitlines()),
            "",
        ]
    return "\n".join(lines)


def stop_command(_options: argparse.Namespace) -> int:
    """Stop the stack that runs and wait until it is gone; 0 also when none ran."""
    home = home_of("up")
    process = servers.recorded(home, SUPERVISOR)
    if process is None:
        print("Nothing runs.")
        return 0
    os.kill(process.pid, SIGTERM)
    if not processes.wait_until_gone(process, 60):
        raise Trouble(
            f"Process {process.pid} does not end: `kill -9 {process.pid}`, then `make up` cleans up."
        )
    return 0


def clean_command(_options: argparse.Namespace) -> int:
    """Delete the state folder and what lies outside of it.

    Raises:
        Trouble: the stack runs.
    """
    home = home_of("up")
    if servers.recorded(home, SUPERVISOR) is not None:
        raise Trouble(already_running(home))
    if home.root.exists():
        end_leftovers(home)
        for folder in home.root.iterdir():
            if folder.is_dir() and (folder / servers.LOCK_FILE).exists():
                servers.stop(Home(home.root, folder.name))
        remove(home.root)
    if home.elsewhere.exists() and home.elsewhere.stat().st_uid == os.geteuid():
        shutil.rmtree(home.elsewhere)
    return 0


def env_command(_options: argparse.Namespace) -> int:
    """Print what the running stack was started with, as shell exports and nothing else.

    Raises:
        Trouble: none runs, or it is still starting.
    """
    home = home_of("up")
    process = servers.recorded(home, SUPERVISOR)
    if process is None:
        raise Trouble("Nothing runs: start it with `make up`.")
    if environment.supervisor_that_is_ready(home) != process.pid:
        raise Trouble("Steward is still starting: wait until it prints its addresses.")
    sys.stdout.write(environment.as_exports(environment.remembered(home)))
    return 0
