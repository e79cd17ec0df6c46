"""The aggregate: kept ten seconds, made by one, alive without Redis or PostgreSQL."""

import threading
from typing import Any

import pytest
import redis
from django.db import OperationalError
from pytest_django import Settings

from apps.core.errors import Unavailable
from apps.identity.api import authentication
from apps.identity.remembered import remembered
from apps.monitoring import cache, selectors
from apps.monitoring.models import HealthSource
from tests.monitoring.conftest import poll, register
from tests.surfaces.machines import by_scopes

pytestmark = pytest.mark.django_db

PATH = "/api/v1/admin/health/aggregate"


def _away(*_arguments: Any) -> Any:
    raise OperationalError("away")


def _aged(settings: Settings) -> None:
    """Makes what is kept older than it may be."""
    with redis.Redis.from_url(settings.REDIS_URL) as link:
        stored = link.get("steward:health:aggregate")
        assert isinstance(stored, bytes)
        link.set("steward:health:aggregate", stored.replace(b'"at":', b'"at":0,"was":', 1))


def test_the_aggregate_has_the_contract_s_shape(url: str) -> None:
    poll(register(url))
    register("http://127.0.0.1:9/health", service_id="search", critical=True)
    body = by_scopes("SERVICE").get(PATH).json()
    assert body["overall"] == "degraded"
    assert [(each["serviceId"], each["status"]) for each in body["services"]] == [
        ("billing", "healthy"),
        ("search", "unknown"),
    ]
    assert body["services"][0].keys() == {"serviceId", "status", "lastChecked", "latencyMs"}
    assert body["cachedAt"].endswith("Z")


def test_it_is_kept_for_ten_seconds(url: str, settings: Settings) -> None:
    source = poll(register(url))
    first = cache.aggregate()
    HealthSource.objects.filter(id=source.id).update(status="unhealthy", critical=True)
    assert cache.aggregate() == first
    _aged(settings)
    assert cache.aggregate()["overall"] == "unhealthy"


def test_one_makes_it_anew_while_the_others_are_given_what_is_there(
    url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    poll(register(url))
    first = cache.aggregate()
    _aged(settings)
    real, entered, made = selectors.aggregate, threading.Event(), []

    def slow() -> dict[str, Any]:
        made.append(1)
        # While this one is at work, somebody else asks.
        if not entered.is_set():
            entered.set()
            assert cache.aggregate() == first
        return real()

    monkeypatch.setattr(selectors, "aggregate", slow)
    assert cache.aggregate()["cachedAt"] >= first["cachedAt"]
    assert made == [1]


def test_who_looked_just_before_another_made_it_anew_does_not_make_it_again(
    url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    poll(register(url))
    cache.aggregate()
    _aged(settings)
    look, make, looked, made = cache._read, selectors.aggregate, [], []

    def overtaken(link: "redis.Redis") -> dict[str, Any] | None:
        found = look(link)
        looked.append(1)
        if len(looked) == 1:
            cache.aggregate()
        return found

    def counted() -> dict[str, Any]:
        made.append(1)
        return make()

    monkeypatch.setattr(cache, "_read", overtaken)
    monkeypatch.setattr(selectors, "aggregate", counted)
    cache.aggregate()
    assert made == [1]


def test_without_redis_it_comes_from_the_database(url: str, settings: Settings) -> None:
    poll(register(url))
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert cache.aggregate()["overall"] == "healthy"


def test_without_the_database_the_last_one_is_given_with_its_time(
    url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    poll(register(url))
    first = cache.aggregate()
    _aged(settings)
    monkeypatch.setattr(selectors, "aggregate", _away)
    assert cache.aggregate() == first


def test_over_http_without_the_database_a_service_that_was_let_in_is_given_the_last_one(
    url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its failure is made up here; tests/faults stops a real server."""
    poll(register(url))
    client = by_scopes("SERVICE")
    first = client.get(PATH)
    _aged(settings)
    monkeypatch.setattr(selectors, "aggregate", _away)
    monkeypatch.setattr(authentication, "principal_of", _away)
    assert client.get(PATH).json() == first.json()
    stranger = by_scopes("SERVICE", subject="svc-elsewhere").get(PATH)
    assert (stranger.status_code, stranger.json()["error"]["code"]) == (503, "ADM_UNAVAILABLE")
    # A right was withdrawn somewhere, and nobody can ask whose.
    remembered.forget()
    assert client.get(PATH).status_code == 503


def test_without_both_it_says_so(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selectors, "aggregate", _away)
    with pytest.raises(Unavailable):
        cache.aggregate()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with pytest.raises(Unavailable):
        cache.aggregate()
