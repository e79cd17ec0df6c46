"""The service surface as a whole: who calls, bad input, refusals in its own shape."""

import pytest
from django.conf import settings as limits
from django.test import Client
from pytest_django import Settings

from apps.surfaces.kit.surface import surface_of
from tests.factories import make_staff, make_tenant
from tests.identity.forge import own_token
from tests.surfaces.bad_input import MALFORMED, ODD_QUERIES, TOO_LARGE, bad_tokens
from tests.surfaces.callers import by_session, by_token
from tests.surfaces.machines import by_scopes
from tests.surfaces.service.answers import CONFIG, refused, sent

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "name",
    [
        "expired",
        "not yet valid",
        "from the future",
        "other audience",
        "no audience",
        "other issuer",
        "no expiry",
        "no subject",
        "alg none",
        "alg none, signed",
        "HMAC with the public key",
        "unknown kid",
        "somebody else's signature",
        "jku",
        "jwk",
        "x5u",
        "kid as a path",
        "no JWT",
        "empty parts",
        "too long",
    ],
)
def test_a_token_that_must_not_count_is_401(name: str) -> None:
    client = Client(headers={"Authorization": f"Bearer {bad_tokens()[name]}"}, raise_request_exception=False)
    response = client.get(CONFIG)
    error = refused(response, 401, "ADM_UNAUTHENTICATED")
    assert response["WWW-Authenticate"] == "Bearer"
    assert error["message"] == "The token is not valid."
    refused(sent(client), 401, "ADM_UNAUTHENTICATED")


def test_the_list_of_bad_tokens_is_whole() -> None:
    assert len(bad_tokens()) == 20


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer a b", "Basic YTpi", "bearer\tx", "Token x", "é"]
)
def test_another_header_of_authorization_is_401(header: str) -> None:
    refused(
        Client(headers={"Authorization": header}, raise_request_exception=False).get(CONFIG),
        401,
        "ADM_UNAUTHENTICATED",
    )


def test_a_session_of_the_back_office_is_no_token() -> None:
    refused(by_session(make_staff("super_admin")).get(CONFIG), 401, "ADM_UNAUTHENTICATED")


def test_super_admin_comes_by_scope_by_role_and_by_staff_role() -> None:
    for claims in (
        {"scope": "SUPER_ADMIN"},
        {"roles": ["superadmin"]},
        {"realm_access": {"roles": ["superadmin"]}},
    ):
        token = own_token(**claims)
        assert Client(headers={"Authorization": f"Bearer {token}"}).get(CONFIG).status_code == 200
    assert by_token(make_staff("super_admin")).get(CONFIG).status_code == 200
    refused(by_token(make_staff("admin")).get(CONFIG), 403, "ADM_FORBIDDEN")
    refused(by_scopes("super_admin", "SUPER_ADMINS", "TENANT_ADMIN").get(CONFIG), 403, "ADM_FORBIDDEN")


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_body_is_400(admin: Client, name: str) -> None:
    response = admin.post(CONFIG, MALFORMED[name], content_type="application/json")
    refused(response, 400, "ADM_VALIDATION_FAILED")


def test_a_body_of_two_megabytes_is_413(admin: Client) -> None:
    response = admin.post(CONFIG, TOO_LARGE, content_type="application/json")
    refused(response, 413, "ADM_PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "", "json"]
)
def test_a_body_that_says_it_is_no_json_is_415(admin: Client, kind: str) -> None:
    response = admin.generic("POST", CONFIG, b'{"key": "a"}', content_type=kind)
    refused(response, 415, "ADM_UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("query", ODD_QUERIES)
def test_an_odd_query_is_400(admin: Client, query: str) -> None:
    refused(admin.generic("GET", CONFIG, QUERY_STRING=query), 400, "ADM_VALIDATION_FAILED")


def test_a_method_and_a_path_that_are_not_there(admin: Client) -> None:
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        response = admin.generic(method, CONFIG)
        refused(response, 405, "ADM_METHOD_NOT_ALLOWED")
        assert response["Allow"] == "GET, HEAD, POST"
    for path in (
        f"{CONFIG}/",
        f"{CONFIG}/a/b/c",
        f"{CONFIG}/x/history/",
        "/api/v1/admin/flags/nothing/here",
    ):
        response = admin.get(path)
        refused(response, 404, "ADM_NOT_FOUND")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/v1/platform/flags", "service"),
        ("/api/v1/platform/flags/beta/evaluate", "service"),
        ("/api/v1/platform/flagship", "platform"),
        ("/api/v1/platform/admin/tenants", "platform"),
        ("/api/v1/admin/segments/beta", "service"),
        ("/api/v1/admin/secrets", "platform"),
        ("/internal/usage/events", "service"),
        ("/ofrep/v1/evaluate/flags", "ofrep"),
        ("/admin/anything", "automation"),
    ],
)
def test_the_longest_prefix_answers(path: str, name: str) -> None:
    surface = surface_of(path)
    assert surface is not None
    assert surface.name == name
    assert surface_of("/internals") is None
    assert surface_of("/administration") is None


def test_a_tenants_admin_and_a_service_may_not_configure() -> None:
    tenant = make_tenant()
    token = own_token(scope="TENANT_ADMIN", tenant_id=tenant.public_id)
    client = Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)
    refused(client.get(CONFIG), 403, "ADM_FORBIDDEN")
    refused(sent(by_scopes("SERVICE")), 403, "ADM_FORBIDDEN")


def test_writes_are_sixty_a_minute_for_each_subject_and_reads_are_counted_apart(settings: Settings) -> None:
    assert limits.SURFACE_RATE_LIMITS["service.write"] == 60
    settings.SURFACE_RATE_LIMITS = {**limits.SURFACE_RATE_LIMITS, "service.write": 2}
    one, two = by_scopes("SUPER_ADMIN", subject="one"), by_scopes("SUPER_ADMIN", subject="two")
    assert [sent(one, value=str(value)).status_code for value in (40, 41)] == [200, 200]
    response = sent(one, value="42")
    refused(response, 429, "ADM_RATE_LIMITED")
    assert int(response["Retry-After"]) >= 1
    assert one.get(CONFIG).status_code == 200
    assert sent(two).status_code == 200
