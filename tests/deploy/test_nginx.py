"""deploy/nginx.conf in front of the application: what it refuses, what it hands on, what it says of the client."""

import gzip
import http.client
import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from django.test import RequestFactory

from apps.audit.models import AuditDetail, AuditEntry
from apps.surfaces.kit.fallback import shaped
from apps.surfaces.kit.surface import Surface, surface_of, surfaces
from tests.deploy import servers
from tests.deploy.conftest import HASHED, THREADS, EventStream
from tests.deploy.servers import KEY, Proxy

CLIENT = "127.0.0.77"


@contextmanager
def _connected(port: int, *, client: str = CLIENT) -> Iterator[http.client.HTTPConnection]:
    with closing(
        http.client.HTTPConnection("127.0.0.1", port, timeout=20, source_address=(client, 0))
    ) as link:
        yield link


def _ask(
    proxy: Proxy, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    with _connected(proxy.port) as link:
        link.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = link.getresponse()
        return answer, answer.read()


@pytest.mark.parametrize(
    "path",
    [
        "/internal/admin/config/jobs.retention_days",
        "/internal",
        "/internal/",
        "//internal/admin/config/x",
        "/%69nternal/admin/config/x",
        "/internal%2Fadmin/config/x",
        "/api/../internal/admin/config/x",
        "/api/%2e%2e/internal/admin/config/x",
        "/./internal/x?tenantId=1",
    ],
)
def test_internal_paths_are_answered_by_nginx_with_404_however_they_are_written(
    proxy: Proxy, path: str
) -> None:
    answer, body = _ask(proxy, path)
    assert (answer.status, answer.headers["Server"]) == (404, "nginx")
    error = json.loads(body)["error"]
    assert error["code"] == "ADM_NOT_FOUND"
    assert error["requestId"] == answer.headers["X-Request-ID"]
    # The server itself would answer this caller, who stands inside: nginx is what keeps the path shut.
    assert answer.headers["X-Correlation-ID"] is None


def test_internal_paths_are_shut_for_streams_too(proxy: Proxy) -> None:
    answer, _ = _ask(proxy, "/internal/admin/flags/stream", Accept="text/event-stream")
    assert answer.status == 404


def test_metrics_are_not_for_the_outside(proxy: Proxy) -> None:
    assert _ask(proxy, "/metrics")[0].status == 404


@pytest.mark.django_db(transaction=True)
def test_the_trail_names_the_client_and_not_what_it_says_of_itself(proxy: Proxy) -> None:
    answer, body = _ask(
        proxy,
        "/admin/platform-config",
        method="POST",
        body=b'{"governance_scan_mode": "parallel"}',
        X_Admin_Key=KEY,
        Content_Type="application/json",
        X_Forwarded_For="203.0.113.9, 127.0.0.1",
        X_Real_IP="203.0.113.9",
        Forwarded="for=203.0.113.9",
    )
    assert answer.status == 200, body
    entry = AuditEntry.objects.get(action="configuration.set")
    actor = json.loads(AuditDetail.objects.get(entry=entry, part="actor").body)
    assert actor["address"] == CLIENT


def test_slow_bodies_hold_no_thread_of_the_server(proxy: Proxy) -> None:
    with ExitStack() as open_links:
        for _ in range(THREADS * 4):
            link = open_links.enter_context(socket.create_connection(("127.0.0.1", proxy.port), timeout=10))
            link.sendall(
                b"POST /admin/platform-config HTTP/1.1\r\nHost: localhost\r\nX-Admin-Key: " + KEY.encode() +
                b"\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"
            )  # fmt: skip
        for _ in range(THREADS * 2):
            assert _ask(proxy, "/healthz")[0].status == 200


def test_an_event_passes_before_the_next_one_is_made(proxy: Proxy) -> None:
    EventStream.go_on.clear()
    with _connected(proxy.port) as link:
        link.request("GET", "/api/admin/usage-stream", headers={"Accept": "text/event-stream"})
        answer = link.getresponse()
        # The address is nginx's word for it; the second event isn't made before the first has arrived.
        assert answer.readline() == f"data: first for {CLIENT}\n".encode()
        EventStream.go_on.set()
        assert b"second" in answer.read()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/platform/admin/users",
        "/api/v1/admin/platform-config",
        "/api/v1/admin/health/aggregate",
        "/ofrep/v1/evaluate/flags",
        "/api/v1/platform/flags",
        "/api/v1/admin/vault/seal",
        "/api/admin/tenants",
        "/v1/auth/token",
    ],
)
def test_a_body_above_nginx_s_limit_is_refused_in_the_surface_s_own_shape(proxy: Proxy, path: str) -> None:
    answer, body = _ask(
        proxy, path, method="POST", body=b" " * (2 * 1024 * 1024 + 1), Content_Type="application/json"
    )
    surface = surface_of(path)
    assert surface is not None
    expected = shaped(413, surface, RequestFactory().post(path)).content
    assert answer.status == 413
    assert answer.headers["Content-Type"] == "application/json"
    assert _without_ids(json.loads(body)) == _without_ids(json.loads(expected))


@pytest.mark.parametrize("surface", surfaces(), ids=lambda surface: surface.name)
def test_nginx_knows_every_prefix_of_a_surface(surface: Surface) -> None:
    block = (
        servers.NGINX_FILE.read_text().partition("map $request_uri $steward_surface {")[2].partition("}")[0]
    )
    table = re.findall(r'^\s*"~(\S+)"\s+(\w+);', block, re.MULTILINE)
    for prefix in surface.prefixes:
        for path in (prefix, f"{prefix}/x", f"{prefix}?x=1"):
            assert next((name for pattern, name in table if re.search(pattern, path)), "page") == surface.name


def _without_ids(body: dict[str, object]) -> dict[str, object]:
    error = body.get("error", {})
    assert isinstance(error, dict)
    changing = {"requestId", "request_id", "correlationId", "timestamp"}
    return {**body, "error": {name: "…" if name in changing else value for name, value in error.items()}}


def test_a_body_above_the_application_s_own_limit_is_refused_by_the_application(proxy: Proxy) -> None:
    answer, body = _ask(
        proxy,
        "/admin/platform-config",
        method="POST",
        body=b" " * (1024 * 1024 + 1),
        Content_Type="application/json",
        X_Admin_Key=KEY,
    )
    assert answer.status == 413
    assert answer.headers["X-Correlation-Id"]
    assert json.loads(body)["code"] == "payload_too_large"


def test_json_is_compressed_and_headers_of_the_application_are_not_doubled(proxy: Proxy) -> None:
    answer, body = _ask(proxy, "/admin/docs/data", X_Admin_Key=KEY, Accept_Encoding="gzip")
    assert (answer.status, answer.headers["Content-Encoding"]) == (200, "gzip")
    assert isinstance(json.loads(gzip.decompress(body)), dict)
    for name in (
        "X-Content-Type-Options",
        "Cache-Control",
        "X-Request-Id",
        "Referrer-Policy",
        "Content-Type",
    ):
        assert len(answer.headers.get_all(name) or []) == 1, name


def test_static_files_are_kept_for_ever_only_where_their_name_changes_with_them(proxy: Proxy) -> None:
    hashed, _ = _ask(proxy, f"/static/{HASHED}")
    plain, _ = _ask(proxy, "/static/plain.css")
    beyond, _ = _ask(proxy, "/static/accounts/accounts.css")
    assert hashed.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert plain.headers["Cache-Control"] == "public, max-age=3600"
    assert hashed.headers["X-Content-Type-Options"] == "nosniff"
    # Not beside nginx: the application has it.
    assert beyond.status == 200
    assert beyond.headers["X-Correlation-Id"]


def test_a_server_that_is_away_is_503_in_the_surface_s_shape(tmp_path: Path) -> None:
    port, nobody = servers.free_port(), servers.free_port()
    text = servers.nginx_file(tmp_path, listen=port, web=nobody, stream=nobody)
    with servers.nginx(tmp_path, text, port=port):
        answer, body = _ask(Proxy(port, nobody, tmp_path), "/api/v1/platform/admin/users")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert json.loads(body)["error"]["code"] == "UPSTREAM_UNAVAILABLE"


def test_no_log_of_nginx_says_what_a_query_holds(tmp_path: Path) -> None:
    port, nobody = servers.free_port(), servers.free_port()
    text = servers.nginx_file(tmp_path, listen=port, web=nobody, stream=nobody)
    path = "/api/v1/platform/admin/users/usr_1?confirmation=jane.roe@people.example"
    with servers.nginx(tmp_path, text, port=port):
        for method, body in (("DELETE", None), ("POST", b"x" * 3_000_000), ("POST", b"x" * 1_000_000)):
            _ask(Proxy(port, nobody, tmp_path), path, method=method, body=body)
        # A refused body is logged when nginx has let go of its connection.
        told, deadline = "", time.monotonic() + 20
        while told.count("usr_1") < 3 and time.monotonic() < deadline:
            time.sleep(0.1)
            told = (tmp_path / "access.log").read_text()
    lines = [json.loads(line) for line in told.splitlines()]
    asked = "/api/v1/platform/admin/users/usr_1"
    seen = sorted((line["method"], line["status"]) for line in lines if line["path"] == asked)
    # The last body goes into a file first: where nginx's processes are nobody's, they may not write here.
    assert seen in (sorted([("DELETE", 503), ("POST", 413), ("POST", status)]) for status in (503, 500))
    assert "jane.roe" not in told + (tmp_path / "error.log").read_text()


def test_the_example_of_tls_is_one_that_nginx_takes(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    program = servers.nginx_program()
    assert program is not None
    assert openssl is not None
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *(
                openssl,
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "1",
                "-subj",
                "/CN=localhost",
            ),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    text = servers.nginx_file(tmp_path, listen=servers.free_port(), web=1, stream=2)
    file = tmp_path / "tls.conf"
    file.write_text(servers.uncommented_tls(text, certificate=certificate, key=key, port=servers.free_port()))
    done = subprocess.run(
        [program, "-t", "-c", str(file)], capture_output=True, text=True, check=False, timeout=20
    )
    assert done.returncode == 0, done.stderr
    assert "ssl_certificate_key" in file.read_text()
