"""PostgreSQL: made once, started as an unprivileged user, with an owner's role and an application's."""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

from apps.embedded import processes
from apps.embedded.binaries import CLEAN_ENVIRONMENT, PostgresPrograms, run_as
from apps.embedded.state import Home, Trouble, group_of, notice, place_for_servers, remove, unprivileged_user

DATABASE = "steward"
OWNER = "steward_owner"
APPLICATION = "steward_app"
SUPERUSER = "steward_superuser"
START_SECONDS = 60

SMALL = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "maintenance_work_mem": "32MB",
    "effective_cache_size": "512MB",
    "max_wal_size": "256MB",
    "max_worker_processes": "4",
    "max_logical_replication_workers": "0",
    "max_parallel_workers_per_gather": "0",
    "autovacuum_max_workers": "2",
    "wal_buffers": "1MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "",
    "password_encryption": "scram-sha-256",
    "shared_preload_libraries": "pg_stat_statements",
}
# A test run's database may be lost with the machine, but not with the process: that is all it gives up.
DISPOSABLE = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_size": "1GB",
    "max_connections": "200",
    "checkpoint_timeout": "30min",
}


@dataclass(frozen=True)
class Postgres:
    """One database cluster of one home, on one port."""

    home: Home
    programs: PostgresPrograms
    keys: dict[str, str]
    port: int

    @property
    def data(self) -> Path:
        return data_folder(self.home)

    def url(self, role: str, database: str = DATABASE) -> str:
        passwords = {
            SUPERUSER: self.keys["postgres_superuser_password"],
            OWNER: self.keys["postgres_owner_password"],
            APPLICATION: self.keys["postgres_app_password"],
        }
        return f"postgresql://{role}:{quote(passwords[role], safe='')}@127.0.0.1:{self.port}/{database}"

    def spawn(self, output: int | IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the server in a session of its own, so that a terminal's Ctrl-C doesn't reach it."""
        settings = SMALL | {"port": str(self.port)} | ({} if self.home.durable else DISPOSABLE)
        given = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return subprocess.Popen(
            [self.programs.program("postgres"), "-D", str(self.data), *given],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=CLEAN_ENVIRONMENT,
            start_new_session=True,
            **run_as(unprivileged_user()),
        )

    def answers(self) -> bool:
        """Whether our server takes connections on its port; its lock file says so in the fourth and eighth line."""
        try:
            told = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(told) >= 8 and told[3].strip() == str(self.port) and told[7].strip() == "ready"


def data_folder(home: Home) -> Path:
    return place_for_servers(home) / "postgres"


def make_cluster(server: Postgres) -> None:
    """Make the database's files where there are none; finish or explain what was left half-made.

    The files are made beside and put in place by one rename, so that a database that was being made when
    everything was killed is known for what it is, and made again.

    Raises:
        Trouble: what is there can't be a database of ours, or is another version's.
    """
    half = server.data.with_name("postgres.half-made")
    if half.exists():
        notice("a database was left half-made by an interrupted start: it is made again.")
        remove(half)
    if server.data.exists():
        if server.home.durable:
            _check_cluster(server)
            return
        if _is_whole(server):
            return
        notice("the test database's files are damaged: they are made again.")
        remove(server.data)
    half.mkdir(mode=0o700)
    user = unprivileged_user()
    if user is not None:
        shutil.chown(half, user, group_of(user))
    _initdb(server, half)
    half.rename(server.data)


def _is_whole(server: Postgres) -> bool:
    try:
        _check_cluster(server)
    except Trouble:
        return False
    return True


def _check_cluster(server: Postgres) -> None:
    version = server.data / "PG_VERSION"
    anew = "or begin anew with `make up RESET=1` (which deletes it)."
    if not version.exists() or not (server.data / "global" / "pg_control").exists():
        raise Trouble(
            f"The database in {server.data} is damaged: a file that every PostgreSQL database has is missing. "
            f"Put the folder back from a copy, {anew}"
        )
    made_by = version.read_text().strip()
    if made_by != str(server.programs.major):
        raise Trouble(
            f"The database in {server.data} was made by PostgreSQL {made_by}, but {server.programs.major} is what "
            f"runs here. Take its data along with pg_dump of version {made_by}, {anew}"
        )
    user = unprivileged_user()
    if user is not None and server.data.owner() != user:
        raise Trouble(
            f"The database in {server.data} belongs to the user {server.data.owner()}, but as root it is run by "
            f"{user}. Start as that user again, or give it over with `chown -R {user} {server.data}`."
        )


def _initdb(server: Postgres, folder: Path) -> None:
    provider = ["--locale-provider=builtin"] if server.programs.major >= 17 else []
    options = [
        "--encoding=UTF8",
        *provider,
        "--locale=C.UTF-8",
        "--auth=scram-sha-256",
        f"--username={SUPERUSER}",
    ]
    quick = [] if server.home.durable else ["--no-sync"]
    with _password_file(server, folder.with_name("postgres.password")) as password:
        done = subprocess.run(
            [server.programs.program("initdb"), "-D", str(folder), f"--pwfile={password}", *options, *quick],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            cwd="/",
            env=CLEAN_ENVIRONMENT,
            check=False,
            **run_as(unprivileged_user()),
        )
    if done.returncode != 0:
        raise Trouble(f"PostgreSQL could not make its database in {folder}: {done.stderr.strip()}")


@contextmanager
def _password_file(server: Postgres, path: Path) -> Iterator[Path]:
    """The superuser's password in a file that only the server's user can read, for as long as initdb needs it."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    try:
        path.write_text(server.keys["postgres_superuser_password"] + "\n")
        user = unprivileged_user()
        if user is not None:
            shutil.chown(path, user, group_of(user))
        yield path
    finally:
        path.unlink(missing_ok=True)


def running(server: Postgres) -> processes.Identity | None:
    """The server that runs on our files. A stale lock file, of a server that was killed, is removed."""
    lock = server.data / "postmaster.pid"
    try:
        pid = int(lock.read_text().split("\n", 1)[0])
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError:
        lock.unlink()
        return None
    process = processes.identify(pid)
    # After a crash or in a new container the number may have become anybody's.
    if process is not None and str(server.data) in processes.command_line(pid):
        return process
    lock.unlink(missing_ok=True)
    return None


def wait_until_ready(server: Postgres, process: subprocess.Popen[bytes], log: Path | None = None) -> None:
    """Wait for the first answer.

    Raises:
        Trouble: the server ended, or doesn't answer in time.
    """
    deadline = time.monotonic() + START_SECONDS
    while not server.answers():
        if process.poll() is not None:
            raise Trouble(f"PostgreSQL ended while it was starting.{_last_lines(log)}")
        if time.monotonic() > deadline:
            raise Trouble(f"PostgreSQL runs, but does not answer within {START_SECONDS} s.{_last_lines(log)}")
        time.sleep(0.05)


def _last_lines(log: Path | None) -> str:
    if log is None:
        return " Its last lines are above."
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:])
    return f" The last lines of {log}:\n{tail}"


def stop(process: processes.Identity) -> None:
    """Stop a server: sessions are cut, everything is written (PostgreSQL's fast shutdown)."""
    processes.end(process, with_signal=signal.SIGINT, seconds=30)
