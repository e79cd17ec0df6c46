"""Scripts of other origins: those of the list, on the surfaces, and nobody else anywhere."""

import pytest
from django.test import Client
from pytest_django import Settings

from tests.surfaces.kit.world import PREFIX

pytestmark = pytest.mark.django_db
OURS = "https://dashboard.example"


@pytest.fixture(autouse=True)
def _one_origin(settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [OURS]


def preflight(
    client: Client, path: str, origin: str, *, method: str = "PATCH", sent: str = "authorization"
) -> dict[str, str]:
    response = client.options(
        path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": sent,
        },
    )
    return {name.lower(): value for name, value in response.items()}


def test_a_listed_origin_may_send_the_headers_of_the_contract(anonymous: Client) -> None:
    found = preflight(anonymous, PREFIX, OURS, sent="authorization,idempotency-key,if-match")
    assert found["access-control-allow-origin"] == OURS
    assert {"authorization", "idempotency-key", "if-match"} <= set(
        found["access-control-allow-headers"].split(", ")
    )


def test_openfeature_s_web_provider_may_ask_from_a_listed_origin_again_with_the_etag_it_has(
    anonymous: Client,
) -> None:
    sent = "authorization,content-type,if-none-match"
    found = preflight(anonymous, "/ofrep/v1/evaluate/flags", OURS, method="POST", sent=sent)
    assert found["access-control-allow-origin"] == OURS
    assert set(sent.split(",")) <= set(found["access-control-allow-headers"].split(", "))


def test_a_listed_origin_may_read_the_headers_of_an_answer(operator: Client) -> None:
    response = operator.get(PREFIX, headers={"Origin": OURS})
    assert response["Access-Control-Allow-Origin"] == OURS
    assert {"ETag", "X-Flags-Stale", "X-Idempotency-Replayed", "Retry-After"} <= set(
        response["Access-Control-Expose-Headers"].split(", ")
    )


@pytest.mark.parametrize(
    ("path", "origin"),
    [
        (PREFIX, "https://evil.example"),
        (PREFIX, "null"),
        (PREFIX, f"{OURS}.evil.example"),
        ("/backoffice/", OURS),
        ("/healthz", OURS),
        ("/internal/admin/config", OURS),
    ],
)
def test_anybody_else_may_not(anonymous: Client, path: str, origin: str) -> None:
    assert "access-control-allow-origin" not in preflight(anonymous, path, origin)
