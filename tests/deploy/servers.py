"""The commands of the image for real: granian over this test's database, and nginx with the file that is shipped."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.core import processes

ROOT = Path(__file__).resolve().parent.parent.parent
NGINX_FILE = ROOT / "deploy" / "nginx.conf"
KEY = "key-of-the-proxy-tests-0123456789"


@dataclass(frozen=True, slots=True)
class Proxy:
    port: int
    web: int
    root: Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def granian(*, threads: int, **changes: str) -> Iterator[int]:
    """One process with few threads, on a port of its own; ready when it is handed out."""
    port = free_port()
    line = [
        *(sys.executable, "-m", "granian", "config.wsgi:application", "--interface", "wsgi", "--host", "127.0.0.1"),
        *("--port", str(port), "--workers", "1", "--blocking-threads", str(threads), "--no-ws", "--http", "1"),
    ]  # fmt: skip
    environment = processes.environment(
        ADMIN_KEYS=f"proxied:{KEY}", ALLOWED_HOSTS="*", LOG_LEVEL="ERROR", **changes
    )
    with ended(line, environment):
        wait_for(f"http://127.0.0.1:{port}/healthz")
        yield port


@contextlib.contextmanager
def ended(
    line: list[str], environment: dict[str, str], *, cwd: Path = ROOT
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is gone afterwards; what it wrote is shown where the test fails."""
    process = subprocess.Popen(line, env=environment, cwd=cwd, stdout=sys.stderr, stderr=sys.stderr)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(url: str | urllib.request.Request, *, seconds: float = 60) -> None:
    """Until it is answered with a status below 400.

    Raises:
        TimeoutError
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(url, timeout=5).read()  # noqa: S310  our own loopback address
            return
        time.sleep(0.1)
    raise TimeoutError(f"{getattr(url, 'full_url', url)} did not answer within {seconds} s")


def nginx_program() -> str | None:
    """The nginx of `make test`, else the one that is installed."""
    return os.environ.get("STEWARD_NGINX") or shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


def nginx_file(folder: Path, *, listen: int, web: int, stream: int) -> str:
    """The shipped file with this machine's addresses and folders in place of the containers'; nothing else differs."""
    text = NGINX_FILE.read_text()
    changes = {
        "server web:8000 ": f"server 127.0.0.1:{web} ",
        "server stream:8000 ": f"server 127.0.0.1:{stream} ",
        "listen 8080;": f"listen 127.0.0.1:{listen};",
        "/tmp/nginx": f"{folder}/nginx",  # noqa: S108  the containers', which have one of their own
        "root /srv;": f"root {folder};",
        "access_log /dev/stdout": f"access_log {folder}/access.log",
        "error_log stderr": f"error_log {folder}/error.log",
    }
    for shipped, ours in changes.items():
        if shipped not in text:
            raise AssertionError(f"deploy/nginx.conf no longer says {shipped!r}")
        # In comments too: they are examples of the same file.
        text = text.replace(shipped, ours)
    return text


@contextlib.contextmanager
def nginx(folder: Path, text: str, *, port: int) -> Iterator[None]:
    """nginx with this text as its main file, in the foreground, as whoever runs the tests."""
    program = nginx_program()
    if program is None:
        raise AssertionError("no nginx: `make test` installs one")
    file = folder / "nginx.conf"
    file.write_text(text)
    with ended([program, "-c", str(file), "-p", str(folder), "-g", "daemon off;"], dict(os.environ)):
        wait_for(f"http://127.0.0.1:{port}/nginx-alive")
        yield


def uncommented_tls(text: str, *, certificate: Path, key: Path, port: int) -> str:
    """The file with its example of TLS taken at its word."""
    text = re.sub(r"^(\s*)listen 127\.0\.0\.1:\d+;$", "", text, count=1, flags=re.MULTILINE)
    text = re.sub(r"^(\s*)# (listen 8443|ssl_)", r"\1\2", text, flags=re.MULTILINE)
    text = text.replace("listen 8443", f"listen 127.0.0.1:{port}")
    return text.replace("/etc/nginx/tls/fullchain.pem", str(certificate)).replace(
        "/etc/nginx/tls/privkey.pem", str(key)
    )
