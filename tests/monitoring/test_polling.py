"""Polling real servers: good, broken, slow, elsewhere, and gone."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from apps.audit.models import AuditEntry
from apps.core.clock import now
from apps.core.errors import Invalid
from apps.monitoring import selectors, services
from apps.monitoring.gateways.probe import Found
from apps.monitoring.models import HealthSample, HealthSource
from tests.core.processes import in_threads
from tests.monitoring.conftest import POLLER, poll, register

pytestmark = pytest.mark.django_db


def test_a_source_is_healthy_after_one_good_answer_and_unhealthy_after_three_failures(
    httpserver: HTTPServer, url: str
) -> None:
    source = register(url)
    assert source.status == "unknown"
    assert poll(source).status == "healthy"
    assert source.latency_ms is not None
    httpserver.clear()
    httpserver.expect_request("/health").respond_with_data("no", status=503)
    assert [poll(source).status for _ in range(3)] == ["healthy", "degraded", "unhealthy"]
    assert source.message == "It answers 503."
    assert HealthSample.objects.filter(source=source, is_good=False).count() == 3
    changes = AuditEntry.objects.filter(action="health_source.status", resource_id="billing")
    assert changes.count() == 3  # unknown → healthy → degraded → unhealthy


def test_a_source_that_redirects_to_the_metadata_address_is_a_failure_and_not_followed(
    httpserver: HTTPServer,
) -> None:
    httpserver.expect_request("/health").respond_with_data(
        "", status=302, headers={"Location": "http://169.254.169.254/latest/meta-data/"}
    )
    source = register(httpserver.url_for("/health"))
    assert [poll(source).status for _ in range(3)][-1] == "unhealthy"
    assert source.message == "It answers 302, a redirect, which is not followed."
    assert len(httpserver.log) == 3


def test_a_source_that_is_slower_than_its_time_out_fails(httpserver: HTTPServer) -> None:
    released = threading.Event()

    def slow(_request: Request) -> Response:
        released.wait(timeout=60)
        return Response("late")

    httpserver.expect_request("/health").respond_with_handler(slow)
    source = register(httpserver.url_for("/health"))
    HealthSource.objects.filter(id=source.id).update(timeout_seconds=1)
    try:
        assert poll(source).message == "health source does not answer in time."
    finally:
        released.set()
    assert source.latency_ms is None


@pytest.mark.parametrize(
    "address",
    [
        "ftp://127.0.0.1/health",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fe80::1]/health",
        "http://[fd00:ec2::254]/latest/",
        "http://[::ffff:169.254.169.254]/",
        "http://2852039166/",
        "http://100.100.100.200/latest/",
        "http://168.63.129.16/",
        "http://user:password@127.0.0.1/health",
        "not an address",
    ],
)
def test_an_address_that_may_never_be_asked_is_refused(address: str, settings: Settings) -> None:
    settings.HEALTH_SOURCE_NETWORKS = ["0.0.0.0/0", "::/0"]
    with pytest.raises(Invalid) as refused:
        register(address)
    assert "url" in refused.value.details
    assert not HealthSource.objects.exists()


def test_a_private_address_is_asked_only_where_the_setting_lists_it(url: str, settings: Settings) -> None:
    source = register(url)
    settings.HEALTH_SOURCE_NETWORKS = []
    with pytest.raises(Invalid):
        register(url, service_id="other")
    assert poll(source).message.endswith("may not be called.")


def test_a_name_that_is_not_known_yet_is_taken_and_fails_when_polled() -> None:
    source = register("http://nobody.invalid/health")
    assert "can't be resolved" in poll(source).message


def test_registering_again_changes_what_was_sent_and_a_new_address_begins_as_unknown(url: str) -> None:
    source = poll(register(url, critical=True))
    again, made = services.register_source(actor=POLLER, service_id="billing", url=url, interval_seconds=60)
    assert (made, again.critical, again.interval_seconds, again.status) == (False, True, 60, "healthy")
    moved = register(f"{url}?elsewhere")
    assert (moved.id, moved.status, moved.last_checked_at) == (source.id, "unknown", None)


def test_a_time_out_above_the_interval_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        services.register_source(
            actor=POLLER, service_id="billing", url=url, interval_seconds=10, timeout_seconds=20
        )


def test_each_source_is_polled_by_its_own_interval(url: str) -> None:
    source = register(url)
    assert services.poll_due(actor=POLLER) == 1
    assert services.poll_due(actor=POLLER) == 0
    source.refresh_from_db()
    assert timedelta(seconds=20) < source.due_at - now() <= timedelta(seconds=30)


def test_an_answer_of_a_former_address_is_not_counted(url: str) -> None:
    source = register(url)
    services.record(
        actor=POLLER,
        source_id=source.id,
        url="http://127.0.0.1:1/former",
        found=Found(is_good=False, latency_ms=None),
    )
    source.refresh_from_db()
    assert (source.status, source.failures) == ("unknown", 0)


def test_a_source_that_nobody_polls_any_more_is_unknown_and_not_down(url: str) -> None:
    source = poll(register(url, critical=True))
    assert selectors.aggregate()["overall"] == "healthy"
    HealthSource.objects.filter(id=source.id).update(last_checked_at=now() - timedelta(seconds=200))
    found = selectors.aggregate()
    assert (found["overall"], found["services"][0]["status"]) == ("degraded", "unknown")
    assert found["services"][0]["message"] == "It was not polled lately."


def test_uptime_counts_answers_by_span(url: str) -> None:
    source = register(url)
    moment = now()
    for minutes, good in ((1, True), (1, False), (45, True)):
        HealthSample.objects.create(source=source, at=moment - timedelta(minutes=minutes), is_good=good)
    spans = selectors.uptime([source.id], pieces=4, minutes=30)[source.id]
    assert len(spans) == 4
    assert (sum(span.answers for span in spans), sum(span.good for span in spans)) == (3, 2)


def test_old_answers_are_forgotten(url: str) -> None:
    source = register(url)
    HealthSample.objects.create(source=source, at=now() - timedelta(days=8), is_good=True)
    HealthSample.objects.create(source=source, at=now(), is_good=True)
    assert services.forget_samples() == 1


def test_a_slow_source_keeps_no_other_waiting(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The slow ones answer only once the quick one is written down, though they were due before it."""
    quick, written = register(url), threading.Event()
    for number in range(12):
        register(f"{url}/slow", service_id=f"slow-{number}")
    HealthSource.objects.exclude(id=quick.id).update(due_at=now() - timedelta(minutes=1))
    record = services.record

    def noted(**given: Any) -> None:
        record(**given)
        if given["source_id"] == quick.id:
            written.set()

    def answer(address: str, *, timeout_seconds: int) -> Found:
        del timeout_seconds
        return Found(is_good=address == url or written.wait(timeout=60), latency_ms=1)

    monkeypatch.setattr(services, "record", noted)
    monkeypatch.setattr(services, "probe", answer)
    assert services.poll_due(actor=POLLER) == 13
    assert set(HealthSource.objects.values_list("status", flat=True)) == {"healthy"}


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_never_ask_the_same_source(httpserver: HTTPServer) -> None:
    def answer(_request: Request) -> Response:
        time.sleep(0.2)
        return Response("ok")

    httpserver.expect_request("/health").respond_with_handler(answer)
    for number in range(6):
        register(httpserver.url_for("/health"), service_id=f"service-{number}")
    assert sum(in_threads(3, lambda _place: services.poll_due(actor=POLLER))) == 6
    assert len(httpserver.log) == 6


@pytest.mark.django_db(transaction=True)
def test_two_that_register_the_same_service_at_once_make_one_source(url: str) -> None:
    made = in_threads(
        4, lambda _place: services.register_source(actor=POLLER, service_id="billing", url=url)[1]
    )
    assert sorted(made) == [False, False, False, True]
