"""apps.core.outbound.http against real sockets: deadlines, retries, breaker, TLS names."""

import datetime as dt
import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from apps.core.outbound import AddressRefused, Breaker, CircuitOpen, Client, Guard, OutboundFailed
from apps.core.outbound import breaker as breaker_module
from apps.core.outbound.http import AnswerTooLarge


def _guard(*ports: int) -> Guard:
    return Guard(schemes=["http", "https"], ports=ports, networks=["127.0.0.0/8"])


@pytest.fixture
def caller() -> Iterator[Client]:
    client = Client("engine", guard=_guard(), timeout=5)
    yield client
    client.close()


def test_an_answer_comes_back_whole(httpserver: HTTPServer, caller: Client) -> None:
    httpserver.expect_request("/a", query_string="x=1", headers={"X-Y": "z"}).respond_with_data(b'{"b": 1}')
    answer = caller.request("GET", httpserver.url_for("/a"), params={"x": "1"}, headers={"X-Y": "z"})
    assert (answer.status, answer.ok, answer.body) == (200, True, b'{"b": 1}')
    assert answer.headers["content-length"] == "8"


def test_a_body_arrives(httpserver: HTTPServer, caller: Client) -> None:
    httpserver.expect_request("/a", method="POST", json={"k": "v"}).respond_with_data("ok", status=201)
    assert caller.request("POST", httpserver.url_for("/a"), json={"k": "v"}).status == 201


def test_a_redirect_is_an_answer_and_not_followed(httpserver: HTTPServer, caller: Client) -> None:
    httpserver.expect_request("/a").respond_with_data("", status=302, headers={"Location": "/b"})
    assert caller.request("GET", httpserver.url_for("/a")).status == 302
    assert len(httpserver.log) == 1


def test_this_machine_is_refused_unless_listed(httpserver: HTTPServer) -> None:
    client = Client("engine", guard=Guard(schemes=["http"], ports=[]))
    with pytest.raises(AddressRefused):
        client.request("GET", httpserver.url_for("/a"))
    assert httpserver.log == []
    assert not client.breaker.is_open


def test_the_checked_address_is_the_one_that_is_called(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the second look-up of the name would answer with an address inside."""
    answers = iter(["127.0.0.1", "169.254.169.254"])
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *arguments: Any, **options: Any) -> list[Any]:
        if host == "rebind.example":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]
        return real(host, port, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    httpserver.expect_request("/a").respond_with_handler(lambda request: Response(request.host))
    client = Client("engine", guard=_guard())
    answer = client.request("GET", f"http://rebind.example:{httpserver.port}/a")
    assert answer.body == f"rebind.example:{httpserver.port}".encode()
    client.close()
    with pytest.raises(AddressRefused):
        Client("engine", guard=_guard()).request("GET", f"http://rebind.example:{httpserver.port}/a")


def test_a_repeatable_call_is_tried_again_and_another_is_not(httpserver: HTTPServer, caller: Client) -> None:
    def fail_twice(count: list[int]) -> Callable[[Request], Response]:
        def handler(_request: Request) -> Response:
            count.append(1)
            return Response(status=503 if len(count) < 3 else 200)

        return handler

    gets: list[int] = []
    httpserver.expect_request("/get").respond_with_handler(fail_twice(gets))
    assert caller.request("GET", httpserver.url_for("/get")).status == 200
    assert len(gets) == 3

    posts: list[int] = []
    httpserver.expect_request("/post", method="POST").respond_with_handler(fail_twice(posts))
    assert caller.request("POST", httpserver.url_for("/post")).status == 503
    assert len(posts) == 1
    assert caller.request("POST", httpserver.url_for("/post"), idempotent=True).status == 200


def test_a_pause_that_the_other_side_asks_for_is_kept_within_the_deadline(
    httpserver: HTTPServer,
) -> None:
    httpserver.expect_ordered_request("/a").respond_with_data("", status=429, headers={"Retry-After": "1"})
    httpserver.expect_ordered_request("/a").respond_with_data("", status=200)
    started = time.monotonic()
    assert Client("engine", guard=_guard(), timeout=30).request("GET", httpserver.url_for("/a")).status == 200
    assert time.monotonic() - started >= 1

    httpserver.clear()
    httpserver.expect_request("/a").respond_with_data("", status=429, headers={"Retry-After": "60"})
    started = time.monotonic()
    assert Client("engine", guard=_guard(), timeout=40).request("GET", httpserver.url_for("/a")).status == 429
    assert time.monotonic() - started < 30


@contextmanager
def _speaking(speak: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that answers each connection with `speak`."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                link, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=_quietly, args=(speak, link), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.close()


def _quietly(speak: Callable[[socket.socket], None], link: socket.socket) -> None:
    with link:
        try:
            link.recv(65536)
            speak(link)
        except OSError:
            return


def _drip(prefix: bytes) -> Callable[[socket.socket], None]:
    def speak(link: socket.socket) -> None:
        link.sendall(prefix)
        for _ in range(600):
            link.sendall(b"x")
            time.sleep(0.1)

    return speak


@pytest.mark.parametrize(
    "speak",
    [
        _drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
        _drip(b"HTTP/1.1 200 OK\r\nX-Header: "),
        lambda _: time.sleep(60),
    ],
    ids=["slow body", "slow header", "silence"],
)
def test_a_slow_peer_holds_us_no_longer_than_the_deadline(speak: Callable[[socket.socket], None]) -> None:
    with _speaking(speak) as port:
        started = time.monotonic()
        with pytest.raises(OutboundFailed) as failed:
            Client("engine", guard=_guard(), timeout=0.7).request("GET", f"http://127.0.0.1:{port}/")
        assert time.monotonic() - started < 30
        assert failed.value.details == {"reason": "timeout"}


@pytest.mark.parametrize(
    "speak",
    [
        lambda link: link.sendall(b"not http at all\r\n\r\n"),
        lambda link: link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut"),
        lambda _: None,
    ],
    ids=["garbage", "cut short", "hangs up"],
)
def test_a_broken_peer_is_unavailable(speak: Callable[[socket.socket], None]) -> None:
    with _speaking(speak) as port, pytest.raises(OutboundFailed) as failed:
        Client("engine", guard=_guard(), timeout=5).request("GET", f"http://127.0.0.1:{port}/")
    assert failed.value.details == {"reason": "connection"}


def test_an_answer_beyond_the_limit_is_not_read(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data(b"x" * 5000)
    client = Client("engine", guard=_guard(), max_bytes=1000)
    with pytest.raises(AnswerTooLarge):
        client.request("GET", httpserver.url_for("/a"))


def test_a_compressed_answer_is_refused_since_its_size_is_unknown(
    httpserver: HTTPServer, caller: Client
) -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    httpserver.expect_request("/a").respond_with_data(bomb, headers={"Content-Encoding": "gzip"})
    with pytest.raises(OutboundFailed):
        caller.request("GET", httpserver.url_for("/a"))
    assert httpserver.log[0][0].headers["Accept-Encoding"] == "identity"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets seconds pass for breakers; otherwise their clock stands."""
    now = [1_000.0]

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return now[0]

    def pass_by(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(breaker_module, "time", Clock)
    return pass_by


def test_the_breaker_opens_after_failures_and_lets_one_call_try(
    httpserver: HTTPServer, clock: Callable[[float], None]
) -> None:
    breaker = Breaker("engine", failures=3, pause=0.3)
    client = Client("engine", guard=_guard(), attempts=1, breaker=breaker)
    httpserver.expect_request("/bad").respond_with_data("", status=500)
    httpserver.expect_request("/good").respond_with_data("", status=200)
    for _ in range(3):
        assert client.request("GET", httpserver.url_for("/bad")).status == 500
    with pytest.raises(CircuitOpen):
        client.request("GET", httpserver.url_for("/good"))
    clock(0.35)
    assert client.request("GET", httpserver.url_for("/bad")).status == 500
    with pytest.raises(CircuitOpen):
        client.request("GET", httpserver.url_for("/good"))
    clock(0.35)
    assert client.request("GET", httpserver.url_for("/good")).status == 200
    assert client.request("GET", httpserver.url_for("/good")).status == 200


def test_only_one_of_many_threads_tries_a_half_open_circuit(clock: Callable[[float], None]) -> None:
    breaker = Breaker("engine", failures=1, pause=0.05)
    breaker.enter()
    breaker.failed()
    clock(0.06)
    let_through: list[int] = []

    def enter() -> None:
        try:
            breaker.enter()
        except CircuitOpen:
            return
        let_through.append(1)

    threads = [threading.Thread(target=enter) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(let_through) == 1


def _certificate(folder: Path) -> ssl.SSLContext:
    """A server's TLS context whose certificate names `localhost` alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoded = certificate.public_bytes(serialization.Encoding.PEM)
    encoded += key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "tls.pem").write_bytes(encoded)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.pem")
    return context


def test_tls_is_checked_against_the_name_although_the_address_is_pinned(tmp_path: Path) -> None:
    server = HTTPServer(host="127.0.0.1", ssl_context=_certificate(tmp_path))
    server.expect_request("/a").respond_with_data("ok")
    server.start()
    try:
        trusting = ssl.create_default_context(cafile=str(tmp_path / "tls.pem"))
        guard = Guard(ports=[], networks=["127.0.0.0/8", "::1/128"])
        client = Client("engine", guard=guard, verify=trusting, attempts=1)
        assert client.request("GET", f"https://localhost:{server.port}/a").body == b"ok"
        with pytest.raises(OutboundFailed):
            client.request("GET", f"https://127.0.0.1:{server.port}/a")
        with pytest.raises(OutboundFailed):
            Client("engine", guard=guard, attempts=1).request("GET", f"https://localhost:{server.port}/a")
    finally:
        server.stop()
