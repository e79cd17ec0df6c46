"""POST /internal/admin/health/sources."""

from typing import Any

import pytest
from django.test import Client

from apps.audit.models import AuditEntry
from apps.monitoring.models import HealthSource
from tests.surfaces.machines import OUTSIDE

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/internal/admin/health/sources"
SOURCE = {"serviceId": "billing", "url": "http://127.0.0.1:9/health"}


def _post(client: Client | None = None, **body: Any) -> Any:
    found = client or Client(raise_request_exception=False)
    return found.post(PATH, {**SOURCE, **body}, content_type="application/json")


def test_a_source_is_made_with_the_defaults_and_then_updated() -> None:
    made = _post()
    assert made.status_code == 201
    assert made.json() == {
        **SOURCE,
        "intervalSeconds": 30,
        "timeoutSeconds": 5,
        "critical": False,
        "status": "unknown",
    }
    changed = _post(intervalSeconds=60, critical=True)
    assert (changed.status_code, changed.json()["critical"]) == (200, True)
    assert HealthSource.objects.count() == 1
    assert AuditEntry.objects.filter(action="health_source.register").count() == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "http://169.254.169.254/latest/meta-data/"}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"serviceId": "no spaces"}, "serviceId"),
        ({"intervalSeconds": 1}, "intervalSeconds"),
        ({"timeoutSeconds": 31}, "timeoutSeconds"),
        ({"intervalSeconds": 10, "timeoutSeconds": 20}, "timeoutSeconds"),
        ({"critical": "yes"}, "critical"),
        ({"thresholds": 3}, "thresholds"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_field(body: dict[str, Any], field: str) -> None:
    refused = _post(**body)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "ADM_VALIDATION_FAILED")
    assert field in refused.json()["error"]["details"]
    assert not HealthSource.objects.exists()


def test_outside_the_internal_networks_there_is_nothing_here() -> None:
    assert _post(Client(raise_request_exception=False, REMOTE_ADDR=OUTSIDE)).status_code == 404
