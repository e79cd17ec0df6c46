"""Where the embedded engines keep what they must remember: one ignored folder, its lock and its small files.

`.steward/` holds the stack of `make up`, `.steward/test/` the engines of a test run. When we are root, the
database server runs as an unprivileged user; where that user can't reach the folder, data and binaries live
in a folder of ours below /var/tmp.
"""

import fcntl
import hashlib
import json
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
UNPRIVILEGED_USER = "nobody"


class Trouble(Exception):
    """Something only a person can put right; the text says what."""


def notice(sentence: str) -> None:
    """Say something beside the way: standard output may belong to a command that is run."""
    sys.stderr.write(f"steward: {sentence}\n")
    sys.stderr.flush()


# The embedded object store (apps.core.objectstore).
OBJECTS_FOLDER = "objects"
# The last flags (apps.flags.snapshot).
FLAGS_FILE = "flags.json"


def default_root() -> Path:
    """The state folder: `.steward/` of this checkout, or STEWARD_STATE_DIR."""
    return Path(os.environ.get("STEWARD_STATE_DIR") or REPOSITORY / ".steward").absolute()


@dataclass(frozen=True)
class Home:
    """The folder of one profile: `up` (durable) or another name (a test run's, which may be thrown away)."""

    root: Path
    profile: str = "up"

    @property
    def folder(self) -> Path:
        return self.root if self.profile == "up" else self.root / self.profile

    @property
    def durable(self) -> bool:
        return self.profile == "up"

    @property
    def elsewhere(self) -> Path:
        """The folder that is used instead when the unprivileged user can't reach this one."""
        digest = hashlib.sha256(str(self.root.parent).encode()).hexdigest()[:12]
        return Path(f"/var/tmp/steward-{digest}")  # noqa: S108 - made 0755 by root, refused when another's

    def prepare(self) -> None:
        """Make the folders. They can be entered, not listed, by others; each file in them is private."""
        for folder in dict.fromkeys((self.root, self.folder)):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o711)

    def file(self, name: str) -> Path:
        return self.folder / name


def home_of(profile: str) -> Home:
    """The home of a profile of this checkout.

    Raises:
        Trouble: the name would leave the state folder.
    """
    if not profile.isidentifier():
        raise Trouble(f"A profile is a plain word, not {profile!r}.")
    return Home(default_root(), profile)


def unprivileged_user() -> str | None:
    """The user that servers run as, or None when we aren't root and may stay who we are."""
    return UNPRIVILEGED_USER if os.geteuid() == 0 else None


def can_enter(folder: Path, user: str | None) -> bool:
    """Whether the user can reach a folder. The system is asked: modes, ACLs and mounts all count."""
    if user is None:
        return True
    question = subprocess.run(
        ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)],
        user=user,
        group=group_of(user),
        extra_groups=[],
        cwd="/",
        check=False,
        capture_output=True,
    )
    return question.returncode == 0


def group_of(user: str) -> int:
    """The user's primary group."""
    return pwd.getpwnam(user).pw_gid


def place_for_servers(home: Home) -> Path:
    """The folder in which servers keep their data: the home's own, or one that their user can reach.

    Raises:
        Trouble: the folder elsewhere belongs to somebody else.
    """
    home.prepare()
    if can_enter(home.folder, unprivileged_user()):
        return home.folder
    elsewhere = own_elsewhere(home)
    if home.profile == "up":
        return elsewhere
    place = elsewhere / home.profile
    place.mkdir(mode=0o755, exist_ok=True)
    return place


def own_elsewhere(home: Home) -> Path:
    """Make the folder below /var/tmp, or make sure that it is really ours."""
    folder = home.elsewhere
    try:
        folder.mkdir(mode=0o755)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise Trouble(f"{folder} belongs to somebody else. Remove it, then start again.") from None
    folder.chmod(0o755)
    return folder


def remove(folder: Path) -> None:
    """Delete a folder and all that is in it, if it is there."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def read_json(path: Path) -> dict[str, Any]:
    """What a small file holds; an empty dict when it is missing or was cut short."""
    try:
        found = json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError, PermissionError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a private file whole or not at all: a reader never sees half of it."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump(content, file, indent=2, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock while something is started or stopped. The system lets go of it when its holder dies."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Hold:
    """A lock for as long as this process lives: shared (one of several users) or exclusive."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a")

    def share(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def claim(self) -> bool:
        """Take it alone. False, and nothing changed for others, when somebody else holds it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        self._file.close()
