"""What tests of the engines stand on: a home of their own, and none of the run's addresses."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from apps.embedded import engines, keys, postgres, servers
from apps.embedded.state import Home, remove


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    """These tests start servers of their own: the run's Redis stays as it is."""


@contextmanager
def new_home() -> Iterator[Home]:
    """A home that servers of any user can reach, gone with all that it started."""
    folder = Path(tempfile.mkdtemp(prefix="steward-test-"))
    folder.chmod(0o755)
    found = Home(folder / ".steward", "trial")
    found.prepare()
    try:
        yield found
    finally:
        engines.leave(found)
        servers.stop(found)
        remove(found.elsewhere)
        shutil.rmtree(folder)


def forget_addresses(patch: pytest.MonkeyPatch) -> None:
    """An environment that names no engines."""
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
        patch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def made_once() -> Iterator[Home]:
    """A home whose engines ran and were stopped; copies of it save every test the making of a database."""
    with new_home() as home:
        # Not around the yield: this fixture lives for the whole run, whose other tests need their engines.
        with pytest.MonkeyPatch.context() as patch:
            forget_addresses(patch)
            engines.ensure_running(home=home)
        engines.leave(home)
        yield home


@pytest.fixture
def bare_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home in which nothing was ever started."""
    forget_addresses(monkeypatch)
    with new_home() as home:
        yield home


@pytest.fixture
def home(made_once: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home whose engines ran before and are stopped."""
    forget_addresses(monkeypatch)
    with new_home() as home:
        shutil.copy(made_once.file(keys.KEYS_FILE), home.file(keys.KEYS_FILE))
        source, target = postgres.data_folder(made_once), postgres.data_folder(home)
        subprocess.run(["cp", "-a", str(source), str(target)], check=True)
        yield home
