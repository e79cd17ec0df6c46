"""The server that is measured: the product's own command, two workers, limits raised but counted."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from apps.embedded import processes
from apps.embedded.stack import granian

WORKERS = 2
_FIRST_PORT = 18_000
_TICKS = os.sysconf("SC_CLK_TCK")
# Raised so that a measurement is not refused; the counting is still paid for.
RAISED = {"RATE_LIMIT_PLATFORM": "100000000", "RATE_LIMIT_PLATFORM_SEARCH": "100000000", "LOG_LEVEL": "ERROR"}
_AS_IT_IS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    pid: int

    def cpu_seconds(self) -> float:
        """User and system time of the server's processes so far."""
        return sum(_cpu(pid) for pid in _family(self.pid))

    def memory_mb(self) -> float:
        """Proportional set size of the server's processes."""
        return sum(_pss(pid) for pid in _family(self.pid)) / 1024


def _family(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += _family(int(child))
    return found


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _pss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


@contextlib.contextmanager
def serving(
    *, workers: int = WORKERS, threads: int = 8, environment: Mapping[str, str] = _AS_IT_IS
) -> Iterator[Server]:
    """A server of its own on a free port, for the database that the environment names.

    Args:
        threads: a worker's, for requests.
        environment: what is other than in ours.

    Raises:
        RuntimeError: it was not ready within 30 s.
    """
    port = processes.free_port(_FIRST_PORT)
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as metrics:
        process = subprocess.Popen(  # noqa: S603  our own command
            [*granian(port, workers=workers, threads=threads), "--no-log"],
            env={
                **os.environ,
                **RAISED,
                "STEWARD_ENVIRONMENT": "development",
                "PROMETHEUS_MULTIPROC_DIR": metrics,
                **environment,
            },
            start_new_session=True,
        )
        try:
            _wait(url)
            yield Server(url, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:  # a stream is still open
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _wait(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(f"{url}/readyz", timeout=2).read()  # noqa: S310  our own loopback address
            return
        time.sleep(0.2)
    raise RuntimeError("the server did not become ready within 30 s")
