"""The outermost door: ids, addresses, the access line, health and metrics."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.test import Client, RequestFactory
from django.urls import ResolverMatch
from pytest_django import Settings
from structlog.testing import capture_logs

from apps.core.observability import context, health
from apps.core.observability.addresses import client_address_of, is_internal
from apps.core.observability.metrics import family_of
from apps.core.observability.middleware import RequestContext

Answer = Callable[[HttpRequest], HttpResponseBase]


def _through(answer: Answer, request: HttpRequest) -> HttpResponseBase:
    return RequestContext(answer)(request)


def _ok(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"hello")


def _from(peer: str, **headers: str) -> HttpRequest:
    return RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers)


def test_ids_are_made_bound_and_echoed() -> None:
    seen: dict[str, str] = {}

    def answer(request: HttpRequest) -> HttpResponse:
        seen.update(request=context.request_id(), correlation=context.correlation_id())
        return HttpResponse()

    response = _through(answer, _from("203.0.113.7"))
    assert re.fullmatch(r"req_[0-9A-HJKMNP-TV-Z]{26}", seen["request"])
    assert response["X-Request-Id"] == seen["request"]
    assert response["X-Correlation-Id"] == seen["correlation"]
    assert len(seen["correlation"]) >= 8
    assert context.request_id() == ""


@pytest.mark.parametrize(
    ("offered", "kept"),
    [
        ("abcdefgh", True),
        ("a.b:c-d_1" * 10, True),
        ("short12", False),
        ("x" * 129, False),
        ("with space in it", False),
        ("line\nbreak-abc", False),
        ("ümlautümlaut", False),
        ("trailing-newline\n", False),
    ],
)
def test_an_offered_id_is_kept_only_where_it_is_sane(offered: str, kept: bool) -> None:
    request = _from("203.0.113.7")
    request.META["HTTP_X_CORRELATION_ID"] = request.META["HTTP_X_REQUEST_ID"] = offered
    response = _through(_ok, request)
    assert (response["X-Correlation-Id"] == offered) is kept
    assert (response["X-Request-Id"] == offered) is kept
    assert request.correlation_id_is_malformed is not kept  # type: ignore[attr-defined]  # set by the middleware


def test_what_authentication_bound_is_gone_for_the_next_request() -> None:
    def answer(_request: HttpRequest) -> HttpResponse:
        context.identify(actor="usr_1", tenant="tnt_1")
        return HttpResponse()

    with capture_logs(processors=[_with_context]) as lines:
        _through(answer, _from("203.0.113.7"))
        _through(_ok, _from("203.0.113.7"))
    assert [(line["actor"], line["tenant"]) for line in lines] == [("usr_1", "tnt_1"), ("", "")]


def _with_context(_logger: Any, _method: str, event: Any) -> Any:
    return {**event, "actor": context.actor_id(), "tenant": context.tenant_id()}


def test_the_access_line_says_what_happened_and_not_the_query() -> None:
    def answer(request: HttpRequest) -> HttpResponse:
        request.resolver_match = ResolverMatch(_ok, (), {}, route="platform/api/v1/users/<str:id>/suspend")
        return HttpResponse(b"hello", status=201)

    request = RequestFactory().post("/platform/api/v1/users/usr_1/suspend?search=jane@acme.com")
    with capture_logs() as lines:
        _through(answer, request)
    (line,) = lines
    duration = line.pop("duration_ms")
    assert isinstance(duration, float)
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "POST",
        "route": "platform/api/v1/users/<str:id>/suspend",
        "status": 201,
        "bytes": 5,
    }


def test_a_stream_has_no_size() -> None:
    with capture_logs() as lines:
        _through(lambda _: StreamingHttpResponse([b"a", b"b"]), _from("203.0.113.7"))
    assert lines[0]["bytes"] is None


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, nonsense", "10.0.0.1"),
        ("10.0.0.1", "1.1.1.1, nonsense, 10.0.0.3", "10.0.0.3"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.9, 10.0.0.8", "10.0.0.9"),
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
        ("::ffff:10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
        ("", "198.51.100.1", None),
    ],
)
def test_the_client_is_the_rightmost_hop_that_is_no_trusted_proxy(
    settings: Settings, peer: str, forwarded: str, expected: str | None
) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    request = _from(peer, **({"X-Forwarded-For": forwarded} if forwarded else {}))
    assert client_address_of(request) == expected


def test_the_client_address_is_at_hand_inside_the_request() -> None:
    seen: list[str | None] = []

    def answer(request: HttpRequest) -> HttpResponse:
        seen.extend([context.client_address(), request.client_address])  # type: ignore[attr-defined]
        return HttpResponse()

    _through(answer, _from("203.0.113.7"))
    assert seen == ["203.0.113.7", "203.0.113.7"]
    assert context.client_address() is None


@pytest.mark.parametrize(
    ("peer", "headers", "proxies", "inside"),
    [
        ("127.0.0.1", {}, [], True),
        ("::1", {}, [], True),
        ("192.168.1.1", {}, [], True),
        ("203.0.113.7", {}, [], False),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, [], False),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}, [], False),
        ("127.0.0.1", {"X-Real-IP": "127.0.0.1"}, [], False),
        ("203.0.113.7", {"X-Forwarded-For": "127.0.0.1"}, [], False),
        ("10.0.0.1", {"X-Forwarded-For": "192.168.1.1"}, ["10.0.0.1/32"], True),
        ("10.0.0.1", {"X-Forwarded-For": "203.0.113.7"}, ["10.0.0.1/32"], False),
        ("10.0.0.1", {"X-Forwarded-For": "192.168.1.1, 203.0.113.7"}, ["10.0.0.1/32"], False),
        ("", {}, [], False),
    ],
)
def test_inside_is_decided_by_the_connection(
    settings: Settings, peer: str, headers: dict[str, str], proxies: list[str], inside: bool
) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert is_internal(_from(peer, **headers)) is inside


@pytest.mark.parametrize(
    ("route", "family"),
    [
        (None, "unmatched"),
        ("", "root"),
        ("healthz", "healthz"),
        ("platform/api/v1/users/<str:id>/suspend", "platform/api/v1/users"),
        (r"^backoffice/users/(?P<pk>.+)/$", "backoffice/users"),
        ("a/b/c/d/e/f/g", "a/b/c/d/e"),
    ],
)
def test_a_family_is_the_route_before_its_first_parameter(route: str | None, family: str) -> None:
    assert family_of(route) == family


@pytest.fixture
def client(settings: Settings) -> Client:
    """The core's own doors behind the core's own middleware."""
    settings.MIDDLEWARE = ["apps.core.observability.middleware.RequestContext"]
    settings.ROOT_URLCONF = "apps.core.urls"
    return Client()


def test_healthz_asks_nobody(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert response["Cache-Control"].startswith("max-age=0, no-cache, no-store")


@pytest.fixture
def _not_yet_migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_memory", health._Memory())


@pytest.mark.django_db
@pytest.mark.usefixtures("_not_yet_migrated")
def test_readyz_names_each_part(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "checks": {"database": "ok", "migrations": "ok", "redis": "ok"},
        "missing": [],
        "degraded": [],
    }


@pytest.mark.django_db
def test_readyz_without_redis_is_degraded_and_ready(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    assert response.json()["degraded"] == ["redis"]


@pytest.mark.django_db
@pytest.mark.usefixtures("_not_yet_migrated")
def test_readyz_with_a_migration_waiting_is_unavailable(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: [("one", False)])
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["missing"] == ["migrations"]
    assert "manage.py migrate" in response.json()["checks"]["migrations"]


def test_readyz_without_the_database_is_unavailable(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def cursor(self) -> Any:
            raise DatabaseError("no")

        def close(self) -> None: ...

    monkeypatch.setattr(health, "connection", Away())
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["missing"] == ["database"]
    assert "migrations" not in response.json()["checks"]


def test_metrics_are_for_those_inside(client: Client) -> None:
    client.get("/healthz")
    inside = client.get("/metrics")
    assert inside.status_code == 200
    assert b'steward_http_requests_total{family="healthz",method="GET",status="200"}' in inside.content
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.7").status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404


def test_doors_for_machines_answer_to_reading_only(client: Client) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert client.post(path).status_code == 405
