"""What operators do to sources: ask at once, remove; and what `make up` registers."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.audit.models import AuditDetail, AuditEntry
from apps.core.clock import now
from apps.core.models import Job
from apps.monitoring import selectors, services
from apps.monitoring.errors import SourceNotFound
from apps.monitoring.gateways.probe import probe
from apps.monitoring.models import HealthSample, HealthSource
from tests.monitoring.conftest import POLLER, poll, register

pytestmark = pytest.mark.django_db


def test_a_source_is_removed_with_its_answers_and_the_trail_says_why(url: str) -> None:
    poll(register(url))
    other = register(url, service_id="search")
    services.remove_source(actor=POLLER, service_id="billing", reason="shut down, ticket 4711")
    assert list(HealthSource.objects.all()) == [other]
    assert not HealthSample.objects.exists()
    entry = AuditEntry.objects.get(action="health_source.remove", resource_id="billing")
    assert "ticket 4711" in AuditDetail.objects.get(entry=entry, part="subject").body
    assert AuditEntry.objects.filter(action="health_source.status", resource_id="billing").exists()


def test_a_source_that_is_not_there_is_neither_removed_nor_asked() -> None:
    for change in (services.remove_source, services.ask_at_once):
        with pytest.raises(SourceNotFound):
            change(actor=POLLER, service_id="nobody", reason="gone")
    assert not AuditEntry.objects.filter(outcome="success").exists()
    assert not Job.objects.exists()


def test_a_source_that_is_removed_while_it_is_asked_leaves_nothing(url: str) -> None:
    source = poll(register(url))
    services.remove_source(actor=POLLER, service_id="billing")
    found = probe(url, timeout_seconds=1)
    services.record(actor=POLLER, source_id=source.id, url=url, found=found)
    assert not HealthSource.objects.exists()
    assert not HealthSample.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_source_that_is_asked_at_once_is_due_and_a_worker_is_told(url: str) -> None:
    source = poll(register(url))
    assert source.due_at > now() + timedelta(seconds=10)
    services.ask_at_once(actor=POLLER, service_id="billing")
    source.refresh_from_db()
    assert source.due_at <= now()
    assert Job.objects.filter(name=services.POLL_JOB).count() == 1
    assert services.poll_due(actor=POLLER) == 1


def test_who_is_in_trouble_leaves_out_the_healthy_and_the_brand_new(url: str) -> None:
    poll(register(url))
    register("http://127.0.0.1:9/health", service_id="new")
    down = register("http://127.0.0.1:9/health", service_id="down")
    quiet = register(url, service_id="quiet")
    long_ago = now() - timedelta(minutes=10)
    HealthSource.objects.filter(id=down.id).update(status="unhealthy", last_checked_at=now())
    HealthSource.objects.filter(id=quiet.id).update(status="healthy", last_checked_at=long_ago)
    found = {row.service_id: status for row, status in selectors.in_trouble(now())}
    assert found == {"down": "unhealthy", "quiet": "unknown"}
    HealthSource.objects.filter(service_id="new").update(updated_at=long_ago)
    assert "new" in {row.service_id for row, _ in selectors.in_trouble(now())}


def test_paces_are_the_median_and_the_slowest_of_each_span(url: str) -> None:
    source = register(url)
    for latency in (10, 20, 900, None):
        HealthSample.objects.create(source=source, at=now(), is_good=latency is not None, latency_ms=latency)
    paces = selectors.paces(source.id, pieces=3, minutes=15)
    assert [(pace.median, pace.slowest) for pace in paces] == [(None, None), (None, None), (20, 900)]


def seeded(*sources: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("seed_health", *sources, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_what_make_up_registers_keeps_what_operators_set_and_follows_the_ports() -> None:
    first, second = "web=http://127.0.0.1:8000/readyz", "stream=http://127.0.0.1:8001/healthz"
    assert "Sources of health made: 2." in seeded(first, second)[0]
    assert dict(HealthSource.objects.values_list("service_id", "critical")) == {"web": True, "stream": False}
    HealthSource.objects.update(critical=False, interval_seconds=60)
    assert "Sources of health made: 0." in seeded("web=http://127.0.0.1:8100/readyz")[0]
    source = HealthSource.objects.get(service_id="web")
    assert (source.url, source.critical, source.interval_seconds) == (
        "http://127.0.0.1:8100/readyz",
        False,
        60,
    )


def test_what_make_up_may_not_register_is_said_and_does_not_keep_it_from_starting() -> None:
    told, wrong = seeded("web=http://169.254.169.254/", "stream=http://127.0.0.1:8001/healthz")
    assert "Sources of health made: 1." in told
    assert "web is not registered" in wrong
    assert [row.service_id for row in HealthSource.objects.all()] == ["stream"]
    with pytest.raises(CommandError, match="name=url"):
        seeded("web")
