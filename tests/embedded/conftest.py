"""What tests of the engines stand on: a home of their own, and none of the run's addresses."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.embedded import engines, servers
from apps.embedded.state import Home, remove


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    """These tests start servers of their own: the run's Redis stays as it is."""


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home that servers of any user can reach, in which nothing was started yet."""
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    folder = Path(tempfile.mkdtemp(prefix="steward-test-"))
    folder.chmod(0o755)
    found = Home(folder / ".steward", "trial")
    found.prepare()
    yield found
    engines.leave(found)
    servers.stop(found)
    remove(found.elsewhere)
    shutil.rmtree(folder)
