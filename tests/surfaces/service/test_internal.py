"""Internal routes: only for those who stand inside. contracts/service.md, "Internal routes"."""

import json
from typing import Any

import pytest
from django.conf import settings as limits
from django.test import Client
from pytest_django import Settings

from apps.configuration.services import KeyDeclaration, declare_key
from tests.factories import actor, make_tenant
from tests.surfaces.bad_input import FORWARDING, spellings
from tests.surfaces.machines import OUTSIDE, by_scopes
from tests.surfaces.service.answers import refused, sent

pytestmark = pytest.mark.django_db

LOOK_UP = "/internal/admin/config/tenant.session_idle_minutes"
NOWHERE = "/internal/admin/nothing/like-this-one-here-at-all-x"


@pytest.mark.django_db(transaction=True)
def test_the_tenants_value_stands_before_the_platforms_before_the_default(
    admin: Client, inside: Client
) -> None:
    tenant, other = make_tenant(), make_tenant()

    def found(query: str = "") -> dict[str, Any]:
        return dict(inside.get(f"{LOOK_UP}{query}").json())

    key = "tenant.session_idle_minutes"
    assert found() == {"key": key, "value": "30", "source": "default"}
    sent(admin, key=key, value="40")
    assert found() == {"key": key, "value": "40", "source": "platform"}
    sent(admin, key=key, value="50", scope="TENANT", tenantId=tenant.public_id)
    assert found(f"?tenantId={tenant.public_id}") == {"key": key, "value": "50", "source": "tenant"}
    assert found(f"?tenantId={other.public_id}")["source"] == "platform"


def test_a_key_that_nobody_declared_is_404(inside: Client) -> None:
    refused(inside.get("/internal/admin/config/no.such.key"), 404, "ADM_CONFIG_NOT_FOUND")


@pytest.mark.parametrize(
    "query", ["tenantId=acme", "tenantId=", "x=1", "tenantId=a&tenantId=b", "tenantId=%00"]
)
def test_a_wrong_parameter_is_refused(inside: Client, query: str) -> None:
    refused(inside.get(f"{LOOK_UP}?{query}"), 400, "ADM_VALIDATION_FAILED")


@pytest.mark.django_db(transaction=True)
def test_a_secret_is_read_in_clear_inside(admin: Client, inside: Client) -> None:
    declaration = KeyDeclaration(type="string", description="A secret.", secret=True)
    declare_key(actor=actor(), name="mail.relay_password", declaration=declaration)
    sent(admin, key="mail.relay_password", value="hunter2")
    assert inside.get("/internal/admin/config/mail.relay_password").json()["value"] == "hunter2"


def seen(response: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    """All that a caller gets to see, but for what differs in each answer: ids and the path that was asked for."""
    body = response.json()
    assert body["error"].pop("requestId") == response["X-Request-Id"]
    text = json.dumps(body).replace(response.wsgi_request.path, "PATH")
    passing = {"X-Request-Id", "X-Correlation-Id", "Content-Length"}
    headers = {name: value for name, value in response.headers.items() if name not in passing}
    return response.status_code, json.loads(text), headers


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PURGE"]
)
def test_from_outside_nothing_is_there_whatever_is_asked(method: str) -> None:
    outside = by_scopes("SUPER_ADMIN", "SERVICE", REMOTE_ADDR=OUTSIDE)
    here, nowhere = outside.generic(method, LOOK_UP), outside.generic(method, NOWHERE)
    assert here.status_code == nowhere.status_code == 404
    if method != "HEAD":
        assert seen(here) == seen(nowhere)
        assert here.json()["error"]["code"] == "ADM_NOT_FOUND"


@pytest.mark.parametrize("header", FORWARDING)
def test_a_forwarding_header_from_an_unlisted_peer_is_a_refusal(inside: Client, header: str) -> None:
    nowhere = seen(inside.get(NOWHERE))
    for name in spellings(header):
        for value in ("127.0.0.1", "10.0.0.1", "", "for=127.0.0.1", "unknown"):
            spelled: dict[str, Any] = {name: value}
            response = inside.get(LOOK_UP, **spelled)
            assert response.status_code == 404, (name, value)
            assert seen(response) == nowhere


def test_ordinary_headers_are_no_forwarding(inside: Client) -> None:
    ordinary = {
        "User-Agent": "curl/8",
        "Accept": "*/*",
        "X-Service-Id": "flags-reader",
        "X-Request-Id": "req-12345678",
        "Traceparent": "00-1-2-00",
        "Forwardable": "1",
        "X-Client-Version": "7",
    }
    assert inside.get(LOOK_UP, headers=ordinary).status_code == 200


@pytest.mark.parametrize(
    ("chain", "status"),
    [
        ("192.168.1.1", 200),
        ("203.0.113.7, 192.168.1.1", 200),
        ("192.168.1.1, 203.0.113.7", 404),
        ("127.0.0.1, 203.0.113.7", 404),
        ("nonsense", 404),
        ("", 404),
        ("127.0.0.1,", 404),
        ("192.168.1.1, unknown", 404),
        ("nonsense, 10.0.0.1", 404),
        ("::ffff:203.0.113.7", 404),
        ("::ffff:192.168.1.1", 200),
        ("[fd00::1]:4711", 200),
    ],
)
def test_a_listed_proxy_says_for_whom_it_speaks(
    inside: Client, settings: Settings, chain: str, status: int
) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/24"]
    response = inside.get(LOOK_UP, REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": chain})
    assert response.status_code == status, response.content


def test_a_listed_proxy_that_says_it_in_another_header_is_refused(inside: Client, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/24"]
    for header in ("X-Real-IP", "Forwarded", "Via", "CF-Connecting-IP"):
        response = inside.get(LOOK_UP, REMOTE_ADDR="10.0.0.1", headers={header: "192.168.1.1"})
        assert response.status_code == 404, header


@pytest.mark.parametrize(
    ("peer", "status"),
    [
        ("127.0.0.1", 200),
        ("::1", 200),
        ("::ffff:127.0.0.1", 200),
        ("10.1.2.3", 200),
        ("172.16.0.1", 200),
        ("172.32.0.1", 404),
        ("192.168.0.9", 200),
        ("fd12::1", 200),
        ("::ffff:203.0.113.7", 404),
        ("169.254.169.254", 404),
        ("203.0.113.7", 404),
        ("2001:db8::1", 404),
        ("", 404),
        ("unix:", 404),
    ],
)
def test_the_connection_decides(inside: Client, peer: str, status: int) -> None:
    assert inside.get(LOOK_UP, REMOTE_ADDR=peer).status_code == status


def test_inside_a_wrong_method_and_an_unknown_path_are_told_apart(inside: Client) -> None:
    response = inside.post(LOOK_UP)
    refused(response, 405, "ADM_METHOD_NOT_ALLOWED")
    assert response["Allow"] == "GET, HEAD"
    refused(inside.get(NOWHERE), 404, "ADM_NOT_FOUND")


def test_a_token_says_nothing_here(inside: Client) -> None:
    response = inside.get(LOOK_UP, headers={"Authorization": "Bearer nonsense"})
    assert response.status_code == 200


@pytest.mark.parametrize("name", ["x" * 65, "a b", "ü", "a/b", "a\tb"])
def test_a_name_of_a_service_that_is_none_is_refused(inside: Client, name: str) -> None:
    error = refused(inside.get(LOOK_UP, headers={"X-Service-Id": name}), 400, "ADM_VALIDATION_FAILED")
    assert set(error["details"]) == {"X-Service-Id"}


def test_requests_count_by_address_and_service_together(inside: Client, settings: Settings) -> None:
    settings.SURFACE_RATE_LIMITS = {**limits.SURFACE_RATE_LIMITS, "service.internal": 3}

    def statuses(name: str, address: str, times: int) -> list[int]:
        return [
            inside.get(LOOK_UP, headers={"X-Service-Id": name}, REMOTE_ADDR=address).status_code
            for _ in range(times)
        ]

    assert statuses("one", "10.0.0.1", 4) == [200, 200, 200, 429]
    assert statuses("two", "10.0.0.1", 1) == [200]
    assert statuses("one", "10.0.0.2", 1) == [200]
    last = inside.get(LOOK_UP, headers={"X-Service-Id": "one"}, REMOTE_ADDR="10.0.0.1")
    refused(last, 429, "ADM_RATE_LIMITED")
    assert 1 <= int(last["Retry-After"]) <= 120
