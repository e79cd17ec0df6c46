"""Who is let in by the session of the back office."""

import pytest
from django.test import Client
from pytest_django import Settings

from apps.core.clock import now
from apps.users.models import User
from tests.factories import make_member, make_staff, make_tenant, make_user
from tests.surfaces.platform.calling import USERS
from tests.users.support import sign_in

pytestmark = pytest.mark.django_db


def status(client: Client) -> tuple[int, str]:
    response = client.get(USERS)
    return response.status_code, response.json().get("error", {}).get("code", "")


def test_nobody_is_unauthenticated(client: Client) -> None:
    assert status(client) == (401, "UNAUTHENTICATED")


def test_a_tenants_owner_is_refused(client: Client) -> None:
    sign_in(client, make_member(make_tenant(), "owner"))
    assert status(client) == (403, "UNAUTHORIZED")


def test_staff_who_left_are_refused(client: Client) -> None:
    sign_in(client, make_staff("admin", is_active=False))
    assert status(client) == (403, "UNAUTHORIZED")


@pytest.mark.parametrize("field", ["suspended_at", "blocked_at"])
def test_the_stopped_are_unauthenticated(client: Client, field: str) -> None:
    user = make_staff("admin")
    sign_in(client, user)
    assert status(client) == (200, "")
    User.objects.filter(pk=user.pk).update(**{field: now()})
    assert status(client) == (401, "UNAUTHENTICATED")


def test_a_super_admin_without_second_factor_is_not_accepted(client: Client) -> None:
    sign_in(client, make_staff(), "password")
    assert status(client) == (401, "UNAUTHENTICATED")


def test_other_staff_need_one_by_setting(client: Client, settings: Settings) -> None:
    sign_in(client, make_staff("admin"), "password")
    assert status(client) == (200, "")
    settings.MFA_REQUIRED_FOR_ALL_STAFF = True
    assert status(client) == (401, "UNAUTHENTICATED")


def test_a_change_needs_the_csrf_token() -> None:
    client = Client(enforce_csrf_checks=True)
    sign_in(client, make_staff("admin"))
    path = f"{USERS}/{make_user().public_id}/suspend"
    body = '{"reason": "fraud"}'
    refused = client.post(path, body, content_type="application/json")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "UNAUTHORIZED")
    client.get("/accounts/login/")
    token = "a" * 32
    client.cookies["steward_csrf"] = token
    allowed = client.post(path, body, content_type="application/json", headers={"X-CSRFToken": token})
    assert allowed.status_code == 200
