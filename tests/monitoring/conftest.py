"""A real HTTP server as a source."""

from datetime import timedelta

import pytest
from pytest_httpserver import HTTPServer

from apps.core.clock import now
from apps.core.principal import system
from apps.monitoring import services
from apps.monitoring.models import HealthSource

POLLER = system("tests")


def register(url: str, *, service_id: str = "billing", critical: bool | None = None) -> HealthSource:
    return services.register_source(actor=POLLER, service_id=service_id, url=url, critical=critical)[0]


def poll(source: HealthSource) -> HealthSource:
    """Makes the source due, polls what is due, and answers the row as it is then."""
    HealthSource.objects.filter(id=source.id).update(due_at=now() - timedelta(seconds=1))
    assert services.poll_due(actor=POLLER) >= 1
    source.refresh_from_db()
    return source


@pytest.fixture
def url(httpserver: HTTPServer) -> str:
    """Of a source that answers well, until a test says otherwise."""
    httpserver.expect_request("/health").respond_with_json({"status": "ok"})
    return httpserver.url_for("/health")
