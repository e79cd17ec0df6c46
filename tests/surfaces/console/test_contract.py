"""What the console answers, whatever it is sent: its own shape, never a 5xx."""

from typing import Any

import pytest
from django.test import Client

from apps.users.models import User
from tests.factories import make_user
from tests.surfaces.bad_input import MALFORMED, ODD_QUERIES, TOO_LARGE, bad_tokens
from tests.surfaces.console.calling import BACKFILL, USERS, refused, sent

pytestmark = pytest.mark.django_db

TEXTS = ("name", "email", "status", "role", "notes")
NO_TEXTS: tuple[Any, ...] = (1, True, None, [], {})


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_body_is_400(master: Client, name: str) -> None:
    user = make_user()
    for line in (
        f"PATCH {USERS}/{user.public_id}",
        f"POST {USERS}/{user.public_id}/block",
        f"POST {BACKFILL}",
    ):
        refused(sent(master, line, MALFORMED[name]), 400, "invalid_request")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((field, wrong) for field in TEXTS for wrong in NO_TEXTS),
        ("email", "no address"),
        ("email", "x" * 250 + "@acme.example"),
        ("status", "deleted"),
        ("status", "ACTIVE"),
        ("role", "king"),
        ("staffRoles", "super_admin"),
        ("staffRoles", ["king"]),
        ("staffRoles", [1]),
        ("name", "x" * 201),
        ("notes", "x" * 5001),
        ("tenantId", "tnt_1"),
        ("id", "usr_1"),
        ("password", "secret"),
    ],
)
def test_a_field_of_the_wrong_kind_is_400_and_named(master: Client, field: str, value: Any) -> None:
    user = make_user()
    error = refused(sent(master, f"PATCH {USERS}/{user.public_id}", {field: value}), 400, "invalid_request")
    assert any(name.split(".")[0] == field for name in error["details"]), error
    user.refresh_from_db()
    assert user.version == 1


def test_a_change_of_nothing_is_400(master: Client) -> None:
    refused(sent(master, f"PATCH {USERS}/{make_user().public_id}", {}), 400, "invalid_request")


def test_two_megabytes_are_413(master: Client) -> None:
    refused(sent(master, f"PATCH {USERS}/{make_user().public_id}", TOO_LARGE), 413, "payload_too_large")


def test_another_content_type_is_415(master: Client) -> None:
    path = f"{USERS}/{make_user().public_id}"
    for kind in ("text/plain", "application/xml", "multipart/form-data; boundary=x", ""):
        response = master.generic("PATCH", path, b'{"name": "A"}', content_type=kind)
        refused(response, 415, "unsupported_media_type")


@pytest.mark.parametrize("query", ODD_QUERIES, ids=range(len(ODD_QUERIES)))
def test_an_odd_query_is_400(master: Client, query: str) -> None:
    user = make_user()
    refused(sent(master, f"GET {USERS}/{user.public_id}?{query}"), 400, "invalid_request")


@pytest.mark.parametrize(
    "path",
    ["/api/admin", "/api/admin/", "/api/admin/nothing", f"{USERS}/", f"{USERS}/a/b/c", "/api/admin/%00"],
)
def test_a_path_that_is_not_there_is_404(master: Client, path: str) -> None:
    refused(sent(master, f"GET {path}"), 404, "not_found")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "OPTIONS", "TRACE", "PROPFIND"])
def test_a_method_that_is_not_there_is_405(master: Client, method: str) -> None:
    response = sent(master, f"{method} {USERS}/{make_user().public_id}")
    refused(response, 405, "method_not_allowed")
    assert response["Allow"] == "GET, HEAD, PATCH"


def test_a_token_that_does_not_count_is_401(operator: User) -> None:
    line = f"GET {USERS}/{operator.public_id}"
    for name, text in bad_tokens().items():
        response = sent(Client(raise_request_exception=False), line, Authorization=f"Bearer {text}")
        assert response.status_code == 401, name
        refused(response, 401, "unauthorized")
        assert response["WWW-Authenticate"] == "Bearer"


def test_a_stranger_is_401_and_each_answer_says_what_is_left(master: Client, operator: User) -> None:
    line = f"GET {USERS}/{operator.public_id}"
    refused(sent(Client(), line), 401, "unauthorized")
    response = sent(master, line)
    assert (response["X-RateLimit-Limit"], response["Cache-Control"]) == ("600", "no-store")
