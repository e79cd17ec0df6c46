"""Processes and ports: who is alive, who is ours, how one is ended, which port is free."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
HAS_PROC = (PROC / "self" / "stat").exists()


@dataclass(frozen=True)
class Identity:
    """A process, told from a later one with the same number by the time it started."""

    pid: int
    started: str


def identify(pid: int) -> Identity | None:
    """The process with this number, or None when there is none (a dead one not yet reaped counts as none)."""
    if pid <= 0:
        return None
    if not HAS_PROC:
        return _identify_by_ps(pid)
    try:
        line = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name, in brackets, may hold spaces: fields are counted from behind it (state is the first).
    fields = line.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else Identity(pid, fields[19])


def _identify_by_ps(pid: int) -> Identity | None:
    answer = _ps("stat=,lstart=", pid)
    state, _, started = answer.partition(" ")
    return None if not answer or state.startswith("Z") else Identity(pid, started.strip())


def _ps(columns: str, pid: int) -> str:
    try:
        told = subprocess.run(
            ["ps", "-o", columns, "-p", str(pid)],  # noqa: S607 - its folder differs between systems
            check=False,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError:
        return ""
    return told.stdout.strip()


def is_alive(process: Identity) -> bool:
    return identify(process.pid) == process


def command_line(pid: int) -> str:
    """The command line of a process; empty when it is gone or hidden."""
    if not HAS_PROC:
        return _ps("command=", pid)
    try:
        return (
            (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        )
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""


def end(process: Identity, *, with_signal: int = signal.SIGTERM, seconds: float = 10) -> None:
    """Ask a process to end, wait, and after `seconds` kill it."""
    for number, patience in ((with_signal, seconds), (signal.SIGKILL, 5.0)):
        if not is_alive(process):
            return
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            return
        if wait_until_gone(process, patience):
            return


def wait_until_gone(process: Identity, seconds: float) -> bool:
    """Whether a process ended within `seconds`; reaps it when it was our own child."""
    deadline = time.monotonic() + seconds
    while is_alive(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def kill_group(leader: int) -> None:
    """Kill what is left of the group that a process of ours led."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def is_free(port: int) -> bool:
    """Whether a server may bind this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        # As servers do: an old connection that is still being forgotten doesn't count as in use.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(preferred: int, *, taken: Iterable[int] = ()) -> int:
    """The preferred port, or the next one above it that is free and not promised to another server."""
    refused = set(taken)
    for port in range(preferred, preferred + 500):
        if port not in refused and is_free(port):
            return port
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return int(any_port.getsockname()[1])


def who_listens(port: int) -> str:
    """The program that listens on a port, as `name (process 123)`; `another program` when it can't be told."""
    inodes = _listening_inodes(port)
    for entry in PROC.glob("[0-9]*") if inodes else ():
        if _open_files(entry) & inodes:
            return f"{(entry / 'comm').read_text().strip()} (process {entry.name})"
    return "another program"


def _open_files(entry: Path) -> set[str]:
    found: set[str] = set()
    try:
        for link in (entry / "fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                found.add(str(link.readlink()))
    except OSError:
        # Another user's process, or one that has just ended.
        return found
    return found


def _listening_inodes(port: int) -> set[str]:
    found: set[str] = set()
    for table in (PROC / "net" / "tcp", PROC / "net" / "tcp6"):
        if not table.exists():
            continue
        for line in table.read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{fields[9]}]")
    return found
