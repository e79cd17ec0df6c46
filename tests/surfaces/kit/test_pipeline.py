"""Authenticate → permit → throttle → handler, and what each of them leaves behind."""

import time
from typing import Any

import pytest
from django.test import Client, RequestFactory
from pytest_django import Settings

from apps.audit.models import AuditEntry
from apps.core.errors import NotFound
from apps.core.observability.context import bound
from apps.surfaces.kit import authentication, steps
from apps.surfaces.kit.permissions import Denied
from apps.surfaces.kit.throttling import WINDOW_SECONDS
from tests.factories import make_tenant
from tests.surfaces.kit.world import PREFIX

pytestmark = pytest.mark.django_db


def by(roles: str) -> Client:
    return Client(headers={"Authorization": f"Test {roles}"}, raise_request_exception=False)


def error(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.content
    return dict(response.json()["error"])


def test_without_a_credential_the_answer_is_401_with_a_challenge(anonymous: Client) -> None:
    response = anonymous.get(PREFIX)
    assert error(response, 401)["code"] == "UNAUTHENTICATED"
    assert response["WWW-Authenticate"] == "Test"
    assert response["Cache-Control"] == "no-store"


def test_a_bad_credential_is_401_with_its_own_sentence() -> None:
    assert error(by("!").get(PREFIX), 401)["message"] == "This token is not good."


def test_a_tenants_own_person_is_403_in_the_contracts_words() -> None:
    found = error(by("-").get(PREFIX), 403)
    assert (found["code"], found["message"]) == ("UNAUTHORIZED", "User does not have required permissions")


def test_a_role_without_the_permission_is_403_and_one_with_it_is_served() -> None:
    make_tenant()
    body: dict[str, Any] = {"content_type": "application/json"}
    assert by("support").post(PREFIX, b'{"text": "abc"}', **body).status_code == 403
    assert by("admin").post(PREFIX, b'{"text": "abc"}', **body).status_code == 201


def test_a_refused_right_goes_into_the_trail_once_a_minute() -> None:
    tenant = make_tenant()
    client = by("support")
    for _ in range(3):
        client.delete(f"{PREFIX}/{tenant.slug}")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.outcome, entry.actor_id) == (
        "platform.notes.destroy",
        "denied",
        "usr_support",
    )
    assert (entry.resource_type, entry.resource_id, entry.via) == ("tenant", tenant.slug, "platform")


def test_a_refused_right_on_an_odd_segment_is_403_and_in_the_trail_too() -> None:
    make_tenant()
    error(by("support").delete(f"{PREFIX}/a%00b"), 403)
    entry = AuditEntry.objects.get()
    assert (entry.outcome, entry.resource_id) == ("denied", "")


def test_a_service_that_forbids_is_in_the_trail_too(operator: Client) -> None:
    assert (
        error(operator.post(f"{PREFIX}/x/forbidden", b"", content_type="application/json"), 403)["code"]
        == "UNAUTHORIZED"
    )
    assert AuditEntry.objects.get().outcome == "denied"


def test_an_action_that_declares_nothing_is_403_for_everybody(operator: Client) -> None:
    assert (
        error(operator.post(f"{PREFIX}/x/forgotten", b"", content_type="application/json"), 403)["code"]
        == "UNAUTHORIZED"
    )


def test_a_view_outside_of_the_kit_is_denied_to_everybody() -> None:
    assert not Denied().has_permission(None, None)


def test_an_open_route_serves_everybody_and_knows_who_calls(operator: Client, anonymous: Client) -> None:
    assert anonymous.get(f"{PREFIX}/open").json()["data"] == {"caller": None}
    assert by("!").get(f"{PREFIX}/open").json()["data"] == {"caller": None}
    assert operator.get(f"{PREFIX}/open").json()["data"] == {"caller": "usr_super_admin"}


def test_a_session_needs_its_csrf_token_on_unsafe_methods() -> None:
    make_tenant()
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.cookies["who"] = "operator"
    assert client.get(PREFIX).status_code == 200
    response = client.post(PREFIX, b'{"text": "abc"}', content_type="application/json")
    assert error(response, 403)["message"] == "The CSRF token is missing or wrong."
    client.cookies["steward_csrf"] = "a" * 32
    response = client.post(
        PREFIX, b'{"text": "abc"}', content_type="application/json", headers={"X-CSRFToken": "a" * 32}
    )
    assert response.status_code == 201


def test_a_form_post_with_a_session_is_no_way_around_the_token() -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.cookies["who"] = "operator"
    client.cookies["steward_csrf"] = "a" * 32
    for kind in (
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
    ):
        response = client.post(PREFIX, b"--x\r\ngarbage", content_type=kind)
        assert response.status_code in {400, 403, 415}, response.content


def test_a_token_counts_before_the_cookie_that_a_browser_adds() -> None:
    make_tenant()
    client = Client(headers={"Authorization": "Test admin"}, enforce_csrf_checks=True)
    client.cookies["who"] = "operator"
    response = client.post(PREFIX, b'{"text": "abc"}', content_type="application/json")
    assert response.status_code == 201
    assert response.json()["data"]["actor"] == "usr_admin"


def test_the_principal_carries_the_door_and_the_address() -> None:
    request = RequestFactory().get("/", headers={"Authorization": "Test ops"}, REMOTE_ADDR="203.0.113.9")
    with bound(actor=""):
        found = authentication.authenticate(request, "platform")
    assert (found.via, found.address) == ("platform", "203.0.113.9")


def test_a_look_leaves_one_audit_row_and_an_etag(operator: Client) -> None:
    tenant = make_tenant()
    response = operator.get(f"{PREFIX}/{tenant.slug}")
    assert response.status_code == 200
    assert response["ETag"] == f'"v{tenant.version}"'
    assert [entry.action for entry in AuditEntry.objects.all()] == ["note.view"]


def test_a_success_has_the_envelope_and_is_not_stored_by_caches(operator: Client) -> None:
    tenant = make_tenant()
    response = operator.get(f"{PREFIX}/{tenant.slug}")
    body = response.json()
    assert set(body) == {"success", "data", "meta"}
    assert body["success"] is True
    assert body["meta"]["data_source"] == "backbone_api"
    assert body["meta"]["last_updated"].endswith("Z")
    assert response["Cache-Control"] == "no-store"
    assert response["X-Request-Id"]


def test_head_is_served_where_get_is(operator: Client) -> None:
    response = operator.head(PREFIX)
    assert response.status_code == 200
    assert response.content == b""


def test_if_match_with_another_version_is_412_with_the_present_one(operator: Client) -> None:
    tenant = make_tenant()

    def rename(version: str) -> Any:
        return operator.patch(
            f"{PREFIX}/{tenant.slug}",
            b'{"text": "Renamed"}',
            content_type="application/json",
            headers={"If-Match": version},
        )

    stale = rename("7")
    assert error(stale, 412)["code"] == "VERSION_CONFLICT"
    assert stale["ETag"] == f'"v{tenant.version}"'
    assert rename(f'"v{tenant.version}"').status_code == 200
    assert rename(str(tenant.version + 1)).status_code == 200
    assert rename("*").status_code == 200


def test_a_204_has_neither_body_nor_type(operator: Client) -> None:
    tenant = make_tenant()
    response = operator.delete(f"{PREFIX}/{tenant.slug}")
    assert (response.status_code, response.content) == (204, b"")
    assert "Content-Type" not in response


@pytest.fixture
def _minute() -> None:
    """The window that requests are counted in has some time to go: what a block has left at its end is lost."""
    left = WINDOW_SECONDS - time.time() % WINDOW_SECONDS
    if left < 10:
        time.sleep(left + 0.1)


@pytest.mark.usefixtures("_minute")
def test_the_hundred_and_first_request_of_a_minute_is_429(settings: Settings) -> None:
    settings.SURFACE_RATE_LIMITS = {**settings.SURFACE_RATE_LIMITS, "platform": 100}
    client = by("finance")
    answers = [client.get(f"{PREFIX}/open") for _ in range(101)]
    assert [answer.status_code for answer in answers[:100]] == [200] * 100
    assert answers[0]["X-RateLimit-Limit"] == "100"
    assert int(answers[99]["X-RateLimit-Remaining"]) == 0
    assert error(answers[100], 429)["code"] == "RATE_LIMITED"
    assert 1 <= int(answers[100]["Retry-After"]) <= 120
    assert by("ops").get(f"{PREFIX}/open").status_code == 200


def test_further_steps_of_a_surface_run_after_the_permission(operator: Client, settings: Settings) -> None:
    settings.SURFACE_STEPS = {"platform": ["tests.surfaces.kit.test_pipeline.refuse_all"]}
    steps.steps.cache_clear()
    try:
        assert error(operator.get(PREFIX), 404)["code"] == "NOT_FOUND"
        assert error(by("-").get(PREFIX), 403)["code"] == "UNAUTHORIZED"
    finally:
        steps.steps.cache_clear()


def refuse_all(*_args: object) -> None:
    raise NotFound
