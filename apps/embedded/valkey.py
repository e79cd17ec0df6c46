"""Valkey: cache, limits and the broker that only wakes workers. It keeps nothing on disk."""

import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from apps.embedded.binaries import CLEAN_ENVIRONMENT, run_as
from apps.embedded.state import Home, Trouble, unprivileged_user

START_SECONDS = 20


@dataclass(frozen=True)
class Valkey:
    """One server of one home, on one port of 127.0.0.1, under a password."""

    home: Home
    program: str
    keys: dict[str, str]
    port: int

    @property
    def url(self) -> str:
        return f"redis://:{self.keys['valkey_password']}@127.0.0.1:{self.port}/0"

    def spawn(self, output: int | IO[bytes]) -> subprocess.Popen[bytes]:
        """Start the server. Its configuration goes in through a pipe: a password on a command line is public."""
        process = subprocess.Popen(
            [self.program, "-"],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=CLEAN_ENVIRONMENT,
            start_new_session=True,
            **run_as(unprivileged_user()),
        )
        settings = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "requirepass": self.keys["valkey_password"],
            "save": '""',
            "appendonly": "no",
            # Only what has an expiry may be thrown out: what waits in a queue has none.
            "maxmemory": "128mb",
            "maxmemory-policy": "volatile-lru",
            # A test process takes a database of its own.
            "databases": "64",
            "loglevel": "warning",
            "daemonize": "no",
        }
        if process.stdin is not None:
            with process.stdin as pipe:
                pipe.write("".join(f"{name} {value}\n" for name, value in settings.items()).encode())
        return process

    def answers(self) -> bool:
        """Whether our server answers on its port under our password."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as link:
                link.sendall(f"AUTH {self.keys['valkey_password']}\r\nPING\r\n".encode())
                told = link.makefile("rb")
                return told.readline() == b"+OK\r\n" and told.readline() == b"+PONG\r\n"
        except OSError:
            return False


def wait_until_ready(server: Valkey, process: subprocess.Popen[bytes], log: Path | None = None) -> None:
    """Wait for the first answer.

    Raises:
        Trouble: the server ended, or doesn't answer in time.
    """
    deadline = time.monotonic() + START_SECONDS
    where = f"the last lines of {log}" if log else "its last lines above"
    while not server.answers():
        if process.poll() is not None or time.monotonic() > deadline:
            raise Trouble(f"Valkey does not answer on port {server.port}: see {where}.")
        time.sleep(0.02)
