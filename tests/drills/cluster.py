"""A PostgreSQL of the drill's own that archives its write-ahead log, its base backup, and restores from both."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg

from apps.embedded import binaries, keys, postgres
from apps.embedded.binaries import CLEAN_ENVIRONMENT, run_as
from apps.embedded.postgres import SUPERUSER, Postgres
from apps.embedded.processes import free_port
from apps.embedded.state import Home, group_of, unprivileged_user

# Below those that the kernel lends to clients.
_FIRST_PORT = 20000


class Cluster:
    """One server on one folder; made anew, or out of a backup."""

    def __init__(self, home: Home) -> None:
        home.prepare()
        secrets = keys.load_keys(home, data=postgres.data_folder(home))
        self.server = Postgres(
            home, binaries.postgres_programs(home), secrets, free_port(_FIRST_PORT + os.getpid() % 4000)
        )
        self._log = home.file("postgres.log")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as output:
            self._process = self.server.spawn(output)
        postgres.wait_until_ready(self.server, self._process, self._log)

    def make(self, archive: Path) -> None:
        """A new cluster whose segments go to `archive`, as docs/operations.md says."""
        postgres.make_cluster(self.server)
        own(archive)
        with (self.server.data / "postgresql.conf").open("a") as conf:
            # Whole or not at all, and never in the place of another.
            put = f"test ! -f {archive}/%f && cp %p {archive}/%f.tmp && mv {archive}/%f.tmp {archive}/%f"
            conf.write(
                f"wal_level = replica\narchive_mode = on\narchive_timeout = 60\narchive_command = '{put}'\n"
            )
        self.start()

    def base_backup(self, target: Path) -> None:
        """`pg_basebackup`, by the server's user."""
        own(target)
        done = subprocess.run(
            [
                self.server.programs.program("pg_basebackup"),
                *("-d", self.server.url(SUPERUSER, "postgres"), "-D", str(target)),
                *("--checkpoint=fast", "--wal-method=stream", "--no-sync"),
            ],
            capture_output=True,
            text=True,
            cwd="/",
            env=CLEAN_ENVIRONMENT,
            timeout=120,
            check=False,
            **run_as(unprivileged_user()),
        )
        assert done.returncode == 0, done.stderr
        checked = subprocess.run(
            [self.server.programs.program("pg_verifybackup"), "--no-parse-wal", str(target)],
            capture_output=True,
            text=True,
            env=CLEAN_ENVIRONMENT,
            timeout=120,
            check=False,
        )
        assert checked.returncode == 0, checked.stderr

    def name_this_moment(self, name: str) -> None:
        with psycopg.connect(self.server.url(SUPERUSER, "postgres"), autocommit=True) as link:
            link.execute("SELECT pg_create_restore_point(%s)", [name])

    def kill(self) -> None:
        """SIGKILL for the postmaster; its children see that it is gone and end."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(timeout=30)
        deadline = time.monotonic() + 30
        while _in_group(self._process.pid) and time.monotonic() < deadline:
            time.sleep(0.05)

    def save_log(self, archive: Path) -> None:
        """What the dead server had not archived yet: the last segments, from its own folder."""
        for segment in (self.server.data / "pg_wal").iterdir():
            target = archive / segment.name
            if segment.is_file() and not target.exists():
                shutil.copy(segment, target)
                target.chmod(0o644)

    def restore(self, base: Path, archive: Path, *, until: str = "") -> None:
        """The backup, and the log up to the named moment or to its end; answers once it takes writes."""
        shutil.copytree(base, self.server.data)
        with (self.server.data / "postgresql.auto.conf").open("a") as conf:
            conf.write(f"restore_command = 'cp {archive}/%f %p'\narchive_mode = off\n")
            if until:
                conf.write(f"recovery_target_name = '{until}'\nrecovery_target_action = 'promote'\n")
        (self.server.data / "recovery.signal").touch()
        own(self.server.data)
        self.start()
        deadline = time.monotonic() + 60
        with psycopg.connect(self.server.url(SUPERUSER, "postgres"), autocommit=True) as link:
            while (row := link.execute("SELECT pg_is_in_recovery()").fetchone()) and row[0]:
                assert time.monotonic() < deadline, self._log.read_text()[-2000:]
                time.sleep(0.1)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=60)


def own(folder: Path) -> None:
    """Gives a folder, made where it is missing, and all in it to the server's user."""
    folder.mkdir(mode=0o700, exist_ok=True)
    user = unprivileged_user()
    if user is not None:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, user, group_of(user))


def _in_group(pid: int) -> bool:
    """Whether a process of the server's session is left."""
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    return True
