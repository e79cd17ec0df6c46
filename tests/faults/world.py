"""A Steward of the fault tests' own: engines, web, workers, scheduler. Nothing in it is shared with other tests."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psycopg

from apps.embedded import binaries, environment, keys, postgres, processes, roles, servers, stack
from apps.embedded.postgres import APPLICATION, OWNER, SUPERUSER, Postgres
from apps.embedded.state import Home, default_root, place_for_servers, remove
from apps.embedded.valkey import Valkey
from tests.faults.processes import ROOT, Process, until

STATEMENT_SECONDS = 2
# Whatever is away, an answer comes: a statement's bound, what the client adds, an attempt to connect anew, and what
# a machine with other work to do adds.
ANSWER_SECONDS = STATEMENT_SECONDS + 5 + 5 + 10
WEB_WORKERS = 2
# Of a web whose every answer is to be a success: no statement may be ended because the machine has other work to do.
PATIENT = {"DATABASE_STATEMENT_SECONDS": "30"}


class Engine:
    """PostgreSQL or Valkey, stopped in every way there is and started again on the same port."""

    def __init__(self, server: Postgres | Valkey, log: Path) -> None:
        self.server = server
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it, again where the killed one's memory is still held, and waits until it answers."""
        deadline = time.monotonic() + 60
        while True:
            if isinstance(self.server, Postgres):
                postgres.running(self.server)  # clears a killed server's lock file away
            with self._log.open("ab") as output:
                self._process = self.server.spawn(output)
            while self._process.poll() is None:
                if self.server.answers():
                    return
                if time.monotonic() > deadline:
                    raise AssertionError(f"{self._log.name}: no answer within 60 s")
                time.sleep(0.02)
            if time.monotonic() > deadline:
                raise AssertionError(f"{self._log.name}: it does not start")
            time.sleep(0.1)

    def stop(self, how: signal.Signals) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(how)
        self._process.wait(timeout=60)


class World:
    """Made once for a test session; `programs` are the running processes by name."""

    def __init__(self) -> None:
        self.home = Home(default_root(), f"faults{os.getpid()}")
        self.home.prepare()
        self.logs = self.home.file("logs")
        self.logs.mkdir(exist_ok=True)
        secrets = keys.load_keys(self.home, data=postgres.data_folder(self.home))
        self.database = Postgres(
            self.home, binaries.postgres_programs(self.home), secrets, keys.choose_port(self.home, "postgres")
        )
        self.cache = Valkey(
            self.home, binaries.valkey_program(self.home), secrets, keys.choose_port(self.home, "valkey")
        )
        self.postgres = Engine(self.database, self.logs / "postgres.log")
        self.valkey = Engine(self.cache, self.logs / "valkey.log")
        self.web_port = processes.free_port(self.database.port + 5, taken={self.cache.port})
        self._secrets = secrets
        self.programs: dict[str, Process] = {}
        self.token = ""
        self._closed = threading.Event()
        threading.Thread(target=self._supervise, name="supervisor", daemon=True).start()

    def _supervise(self) -> None:
        """Starts again what ended, as `make up` and every container runtime do."""
        while not self._closed.wait(timeout=0.3):
            for program in tuple(self.programs.values()):
                program.revive()

    def environment(self, **more: str) -> dict[str, str]:
        """Of a child process that works on these engines."""
        engines = servers.postgres_addresses(self.database) | {
            "REDIS_URL": self.cache.url,
            "OBJECT_STORE_ROOT": str(self.home.file("objects")),
        }
        kept = {
            name: os.environ[name] for name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if name in os.environ
        }
        own = environment.application_environment({}, self._secrets, engines, ports=None)
        return {
            **kept,
            **own,
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
            "DATABASE_STATEMENT_SECONDS": str(STATEMENT_SECONDS),
            "RATE_LIMIT_PLATFORM": "100000000",
            "LOG_LEVEL": "WARNING",
            "PYTHONWARNINGS": "ignore",
            **more,
        }

    def manage(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def prepare(self) -> None:
        """Engines, tables, and a token of an operator."""
        postgres.make_cluster(self.database)
        self.postgres.start()
        self.valkey.start()
        roles.make_roles(self.database)
        for command in (("migrate",), ("mint_token", "--staff", "super_admin", "--ttl", "7200")):
            done = self.manage(*command)
            assert done.returncode == 0, done.stderr
            self.token = done.stdout.strip()

    def serve(self, *names: str, **more: str) -> None:
        """Starts programs by name, those that do not run yet; `more` is put into their environment."""
        commands = {
            "web": stack.granian(self.web_port, workers=WEB_WORKERS, threads=8),
            "worker": stack.celery("worker", *stack.WORKER_OPTIONS, "--loglevel=WARNING"),
            "scheduler": stack.celery("beat", "--pidfile=", "--loglevel=WARNING"),
            "rq": [sys.executable, "manage.py", "rqworker", "operator"],
        }
        for name in names:
            if name not in self.programs:
                log = self.logs / f"{name}.log"
                self.programs[name] = Process(name, commands[name], self.environment(**more), log)
                self.programs[name].revive()
        if "web" in names:
            self.until_web_answers()

    def until_web_answers(self) -> None:
        address = f"127.0.0.1:{self.web_port}"
        until(lambda: stack.responds(address, "/readyz"), seconds=60, each=0.05)

    def end(self, *names: str) -> None:
        """Kills programs; all of them without a name."""
        for name in names or tuple(self.programs):
            if (program := self.programs.pop(name, None)) is not None:
                program.kill(for_good=True)

    def close(self) -> None:
        self._closed.set()
        self.end()
        self.valkey.stop(signal.SIGKILL)
        self.postgres.stop(signal.SIGQUIT)
        if "STEWARD_FAULTS_KEEP" not in os.environ:
            place = place_for_servers(self.home)
            remove(self.home.folder)
            if place != self.home.folder:
                shutil.rmtree(place, ignore_errors=True)

    @contextlib.contextmanager
    def _link(self, role: str) -> Any:
        with psycopg.connect(self.database.url(role), autocommit=True, connect_timeout=5) as link:
            yield link

    def rows(self, query: str, *values: Any, role: str = OWNER) -> list[tuple[Any, ...]]:
        """What stands in the database, past every process of the product."""
        with self._link(role) as link:
            return list(link.execute(query, values or None).fetchall())

    def run(self, statement: str, *values: Any, role: str = OWNER) -> None:
        with self._link(role) as link:
            link.execute(statement, values or None)


__all__ = ["APPLICATION", "SUPERUSER", "World"]
