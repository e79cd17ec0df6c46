"""Who calls: keys, their names, and the lock on an address. contracts/automation.md, "Who calls"."""

import hmac
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django import Settings

from apps.audit.models import AuditEntry
from apps.core.clock import now
from apps.core.models import FailedAttempt
from tests.factories import make_staff
from tests.surfaces.automation.answers import refused
from tests.surfaces.callers import by_session, by_token
from tests.surfaces.machines import admin_key, by_key

pytestmark = pytest.mark.django_db

TENANTS = "/admin/tenants"
WRONG = "w" * 32


def seen(response: Any) -> tuple[int, bytes, dict[str, str]]:
    passing = {"X-Request-Id", "X-Correlation-Id"}
    headers = {name: value for name, value in response.headers.items() if name not in passing}
    return response.status_code, response.content, headers


def test_each_key_is_good_and_the_trail_names_it(settings: Settings) -> None:
    for entry in settings.ADMIN_KEYS:
        name, _, key = entry.partition(":")
        assert (
            by_key(key)
            .post(
                "/admin/platform-config",
                {"governance_parallel_limit": len(name)},
                content_type="application/json",
            )
            .status_code
            == 200
        )
    rows = AuditEntry.objects.order_by("at").values_list("actor_kind", "actor_id", "via", "action")
    assert list(rows) == [
        ("key", "pipeline", "automation", "configuration.set"),
        ("key", "deploy", "automation", "configuration.set"),
    ]


@pytest.mark.parametrize(
    "key",
    [
        WRONG,
        "",
        " ",
        "pipeline",
        "pipeline:key-of-the-tests-0123456789",
        "key-of-the-tests-012345678",
        "key-of-the-tests-01234567890",
        "KEY-OF-THE-TESTS-0123456789",
        "key-of-the-tests-0123456789, deploy",
        "ключ",
        "\x00",
        "k" * 100_000,
    ],
)
def test_a_wrong_key_is_403(key: str) -> None:
    client = Client(raise_request_exception=False)
    refused(client.get(TENANTS, HTTP_X_ADMIN_KEY=key), 403, "forbidden")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", TENANTS),
        ("GET", "/admin/docs/data"),
        ("GET", "/admin/nothing/here"),
        ("GET", "/admin"),
        ("GET", "/admin/"),
        ("GET", "/admin/tenants/"),
        ("GET", "/admin/../admin/tenants/%00"),
        ("POST", TENANTS),
        ("PUT", TENANTS),
        ("POST", "/admin/docs"),
        ("OPTIONS", TENANTS),
        ("TRACE", TENANTS),
        ("PURGE", "/admin/nothing"),
        ("POST", "/admin/platform-config"),
        ("DELETE", "/admin/nothing/here"),
    ],
)
def test_without_a_good_key_every_path_and_method_answers_the_same(
    stranger: Client, method: str, path: str
) -> None:
    known = seen(stranger.get(TENANTS, REMOTE_ADDR="198.51.100.1"))
    assert known[0] == 403
    for key in (None, WRONG):
        headers = {"X-Admin-Key": key} if key else {}
        response = stranger.generic(
            method, path, b"{", content_type="application/json", headers=headers, REMOTE_ADDR="198.51.100.2"
        )
        assert seen(response) == known, (method, path, key)


def test_a_session_or_a_token_of_staff_is_no_key() -> None:
    for client in (by_session(make_staff("super_admin")), by_token(make_staff("super_admin"))):
        refused(client.get(TENANTS), 403, "forbidden")


def test_without_configured_keys_nobody_comes_in(settings: Settings) -> None:
    settings.ADMIN_KEYS = []
    for key in ("", ":", "key-of-the-tests-0123456789"):
        refused(Client().get(TENANTS, HTTP_X_ADMIN_KEY=key), 403, "forbidden")


def test_a_missing_key_a_wrong_one_and_a_right_one_cost_the_same_comparisons(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    compared: list[tuple[int, int]] = []
    real = hmac.compare_digest

    def counting(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", counting)
    for key in ("", WRONG, "k" * 10_000, admin_key(), settings.ADMIN_KEYS[1].partition(":")[2]):
        compared.clear()
        Client().get(TENANTS, HTTP_X_ADMIN_KEY=key)
        assert compared == [(32, 32), (32, 32)]


def test_a_key_outside_of_ascii_is_compared_as_it_was_sent(settings: Settings) -> None:
    settings.ADMIN_KEYS = ["odd:schlüssel-mit-umlaut-und-mehr"]
    as_sent = "schlüssel-mit-umlaut-und-mehr".encode().decode("latin-1")
    assert Client().get(TENANTS, HTTP_X_ADMIN_KEY=as_sent).status_code == 200


def fail(client: Client, address: str, key: str | None = WRONG) -> Any:
    headers = {"X-Admin-Key": key} if key else {}
    return client.get(TENANTS, headers=headers, REMOTE_ADDR=address)


def test_ten_failures_in_a_minute_lock_the_address_for_five(stranger: Client) -> None:
    start = now()
    with time_machine.travel(start, tick=False):
        for number in range(10):
            refused(fail(stranger, "198.51.100.9", None if number % 2 else WRONG), 403, "forbidden")
        response = fail(stranger, "198.51.100.9")
        refused(response, 429, "rate_limited")
        assert int(response["Retry-After"]) == 301
        refused(fail(stranger, "198.51.100.9", None), 429, "rate_limited")
        assert stranger.get("/admin/nowhere", REMOTE_ADDR="198.51.100.9").status_code == 429
        refused(fail(stranger, "198.51.100.10"), 403, "forbidden")
        assert fail(stranger, "198.51.100.9", admin_key()).status_code == 200
    with time_machine.travel(start + timedelta(minutes=4, seconds=59), tick=False):
        refused(fail(stranger, "198.51.100.9"), 429, "rate_limited")
    with time_machine.travel(start + timedelta(minutes=5, seconds=1), tick=False):
        refused(fail(stranger, "198.51.100.9"), 403, "forbidden")


def test_failures_while_it_is_locked_do_not_prolong_the_lock(stranger: Client) -> None:
    start = now()
    with time_machine.travel(start, tick=False):
        for _ in range(10):
            fail(stranger, "198.51.100.9")
    for minute in range(1, 5):
        with time_machine.travel(start + timedelta(minutes=minute), tick=False):
            for _ in range(10):
                assert fail(stranger, "198.51.100.9").status_code == 429
    assert FailedAttempt.objects.count() == 10
    with time_machine.travel(start + timedelta(minutes=5, seconds=1), tick=False):
        assert fail(stranger, "198.51.100.9").status_code == 403


def test_ten_failures_over_more_than_a_minute_lock_nothing(stranger: Client) -> None:
    start = now()
    for number in range(20):
        with time_machine.travel(start + timedelta(seconds=7 * number), tick=False):
            assert fail(stranger, "198.51.100.9").status_code == 403


def test_a_proxy_that_is_not_ours_cant_have_another_address_locked(stranger: Client) -> None:
    for _ in range(11):
        stranger.get(TENANTS, headers={"X-Forwarded-For": "198.51.100.77"}, REMOTE_ADDR="198.51.100.9")
    assert fail(stranger, "198.51.100.77").status_code == 403


def test_the_page_counts_nothing_and_is_open(stranger: Client) -> None:
    for _ in range(12):
        assert stranger.get("/admin/docs", headers={"X-Admin-Key": WRONG}).status_code == 200
    assert not FailedAttempt.objects.exists()


def test_requests_are_counted_by_key(holder: Client, settings: Settings) -> None:
    settings.SURFACE_RATE_LIMITS = {**settings.SURFACE_RATE_LIMITS, "automation": 2}
    assert [holder.get(TENANTS).status_code for _ in range(3)] == [200, 200, 429]
    assert by_key(settings.ADMIN_KEYS[1].partition(":")[2]).get(TENANTS).status_code == 200
