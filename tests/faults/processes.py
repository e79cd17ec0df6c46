"""Starting real workers against the test's database, and killing them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).resolve().parent.parent.parent


def environment() -> dict[str, str]:
    """Of a child process that works on this test's database and Redis."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
        "STEWARD_FAULT_DATABASE": connection.settings_dict["NAME"],
        "LOG_LEVEL": "WARNING",
    }


def start(*arguments: str) -> "subprocess.Popen[bytes]":
    """A child in a process group of its own, so that it can be killed with its children."""
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=environment(),
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def celery_worker() -> "subprocess.Popen[bytes]":
    return start(
        "celery", "-A", "config.celery", "worker", "-Q", "default", "-c", "2", "--without-gossip", "--without-mingle",
        "--without-heartbeat", "-l", "WARNING",
    )  # fmt: skip


def rq_worker() -> "subprocess.Popen[bytes]":
    return start("django", "rqworker", "operator")


def kill(process: "subprocess.Popen[bytes]") -> None:
    """SIGKILL for the process and all that came from it (RQ's work horse leaves the process group)."""
    for pid in [process.pid, *descendants(process.pid)]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait(timeout=10)
    if process.stdout is not None:
        process.stdout.close()


def descendants(pid: int) -> list[int]:
    """Children, their children, and so on; none where the process is gone."""
    found = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for child in children(pid):
            found += [child, *descendants(child)]
    return found


def children(pid: int) -> list[int]:
    """The direct children of a process."""
    found = []
    for folder in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (folder / "children").read_text().split()]
    return found


@contextmanager
def running(factory: Callable[[], "subprocess.Popen[bytes]"]) -> Iterator["subprocess.Popen[bytes]"]:
    process = factory()
    try:
        yield process
    finally:
        kill(process)


def until(what: Callable[[], bool], *, seconds: float, each: Callable[[], object] = lambda: None) -> None:
    """Waits for a condition, calling `each` between looks.

    Raises:
        AssertionError: it did not come true in time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if what():
            return
        each()
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s")
