"""Pages while PostgreSQL is away: ours, in the product's design, and never a bare failure."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

PAGES = [
    "/backoffice/",
    "/backoffice/tenants/",
    "/downloads/exp_01M7ZESM0HE41RCYZSMTCD53ZN?expires=9999999999&signature=x",
    "/accounts/sessions/",
    "/accounts/2fa/",
]


@pytest.fixture
def _postgres_is_away() -> Iterator[None]:
    known = connection.settings_dict["PORT"]
    connection.close()
    connection.settings_dict["PORT"] = "1"
    yield
    connection.close()
    connection.settings_dict["PORT"] = known


def _visitor() -> Client:
    """With a session, which nobody can look up now."""
    client = Client(raise_request_exception=False)
    client.cookies[settings.SESSION_COOKIE_NAME] = "k" * 32
    return client


@pytest.mark.usefixtures("_postgres_is_away")
@pytest.mark.parametrize("path", PAGES)
def test_page_without_postgresql_is_503_in_our_design_and_says_when_to_come_back(path: str) -> None:
    response = _visitor().get(path)
    assert response.status_code == 503
    assert response["Retry-After"] == "1"
    assert response["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
    text = response.content.decode()
    assert "Steward is away for a moment" in text
    assert "backoffice/steward.css" in text
    assert "Traceback" not in text


@pytest.mark.usefixtures("_postgres_is_away")
def test_sign_in_without_postgresql_is_503_and_not_a_wrong_password() -> None:
    answer = Client(raise_request_exception=False).post(
        "/accounts/login/", {"login": "somebody@example.com", "password": "long-enough-password"}
    )
    assert answer.status_code == 503
    assert b"Steward is away for a moment" in answer.content


@pytest.mark.usefixtures("_postgres_is_away")
def test_health_without_postgresql_is_alive_but_not_ready() -> None:
    client = Client()
    assert client.get("/healthz").status_code == 200
    told = client.get("/readyz")
    assert told.status_code == 503
    assert told.json()["missing"] == ["database"]
