"""Processes of the product that are started to be killed, by their number and never by name."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def children(pid: int) -> list[int]:
    """The direct children of a process; none where it is gone."""
    found: list[int] = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for folder in Path(f"/proc/{pid}/task").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):
                found += [int(child) for child in (folder / "children").read_text().split()]
    return found


def descendants(pid: int) -> list[int]:
    """Children, their children, and so on."""
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def sigkill(pid: int) -> bool:
    """Whether there was still somebody to kill."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        os.kill(pid, signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


class Process:
    """A program in a session of its own, that can be killed whole and started again."""

    def __init__(self, name: str, command: list[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self._command, self._environment, self._log = command, dict(environment), log
        self._running: subprocess.Popen[bytes] | None = None
        self._guard = threading.RLock()
        self._ended = False

    @property
    def children(self) -> list[int]:
        """Of the running program; none while it does not run."""
        running = self._running
        return children(running.pid) if running is not None else []

    def _start(self) -> None:
        with self._log.open("ab") as output:
            self._running = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=self._environment,
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def kill(self, *, for_good: bool = False) -> bool:
        """SIGKILL for the process and all that came from it (RQ's work horse leaves the process group)."""
        with self._guard:
            self._ended = for_good
            if self._running is None:
                return False
            family = [self._running.pid, *descendants(self._running.pid)]
            hit = [sigkill(pid) for pid in family]
            self._running.wait(timeout=60)
            self._running = None
            return any(hit)

    def revive(self) -> None:
        """Starts it where it does not run, unless it was ended for good."""
        with self._guard:
            if not self._ended and (self._running is None or self._running.poll() is not None):
                self._start()


def until(what: Callable[[], object], *, seconds: float, each: float = 0.1) -> None:
    """Waits for a condition.

    Raises:
        AssertionError: it did not come true in time.
    """
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(each)
