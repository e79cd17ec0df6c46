"""nginx in front of a real server, once for all tests of this folder."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pytest_django import DjangoDbBlocker

from tests.deploy import servers
from tests.deploy.servers import Proxy

THREADS = 4
HASHED = "app.0123456789ab.css"


class EventStream(BaseHTTPRequestHandler):
    """Stands for `stream`: one event at once, the second when it is let, and what it was asked with."""

    protocol_version = "HTTP/1.1"
    go_on = threading.Event()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(f"data: first for {self.headers['X-Forwarded-For']}\n\n".encode())
        self.wfile.flush()
        if self.go_on.wait(timeout=20):
            self.wfile.write(b"data: second\n\n")
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        """Nothing: the tests look at what arrives."""


@pytest.fixture(scope="package")
def streaming() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), EventStream)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="package")
def proxy(django_db_setup: None, django_db_blocker: DjangoDbBlocker, streaming: int) -> Iterator[Proxy]:
    """The shipped nginx.conf in front of a server with four threads, which trusts 127.0.0.1 alone."""
    with (
        TemporaryDirectory(prefix="steward-nginx-") as name,
        django_db_blocker.unblock(),
        servers.granian(threads=THREADS, TRUSTED_PROXIES="127.0.0.1/32") as web,
    ):
        folder = Path(name)
        folder.chmod(0o755)
        _static_files(folder)
        port = servers.free_port()
        text = servers.nginx_file(folder, listen=port, web=web, stream=streaming)
        with servers.nginx(folder, text, port=port):
            yield Proxy(port, web, folder)


def _static_files(folder: Path) -> None:
    static = folder / "static"
    static.mkdir()
    for name in ("plain.css", HASHED):
        (static / name).write_text("body{margin:0}" * 200)
