"""People on the console."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.core.clock import now
from apps.core.knobs import knob
from apps.users.models import User
from tests.factories import make_member, make_staff, make_tenant, make_user
from tests.surfaces.callers import by_session, by_token
from tests.surfaces.console.calling import USERS, refused, sent
from tests.users.support import mails, open_session, trail

pytestmark = pytest.mark.django_db


def patched(master: Client, user: User, **body: Any) -> Any:
    return sent(master, f"PATCH {USERS}/{user.public_id}", body)


def test_a_profile_is_bare_camel_case_with_memberships_sessions_and_last_actions(master: Client) -> None:
    tenant = make_tenant("growth", company_name="Acme")
    user = make_member(tenant, "owner", email="jane@acme.example", name="Jane", notes="calls often")
    open_session(user)
    by_token(user)
    response = sent(master, f"GET {USERS}/{user.public_id}")
    body = response.json()
    assert response.status_code == 200
    assert response["ETag"] == '"v1"'
    assert body["email"] == "jane@acme.example"
    assert (body["status"], body["role"], body["plan"], body["notes"]) == (
        "active",
        "owner",
        "growth",
        "calls often",
    )
    assert body["memberships"][0]["tenantId"] == tenant.public_id == body["tenantId"]
    assert [each["address"] for each in body["sessions"]] == ["203.0.113.50"]
    assert body["usage"] is None
    assert not {"success", "data", "ok"} & set(body)


def test_the_last_owner_of_a_live_tenant_keeps_the_role(master: Client) -> None:
    tenant = make_tenant()
    response = patched(master, make_member(tenant, "owner"), role="admin")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "conflict")
    assert tenant.slug in response.json()["error"]["message"]


def test_a_look_at_a_profile_is_in_the_trail(master: Client, operator: User) -> None:
    user = make_user()
    sent(master, f"GET {USERS}/{user.public_id}")
    entry = trail("user.view")
    assert (entry.actor_id, entry.resource_id, entry.via) == (operator.public_id, user.public_id, "console")


def test_what_a_person_did_last_is_theirs_alone(master: Client) -> None:
    admin = make_staff("super_admin")
    user = make_user()
    sent(by_token(admin), f"PATCH {USERS}/{user.public_id}", {"name": "Other"})
    own = sent(master, f"GET {USERS}/{admin.public_id}").json()["lastActions"]
    theirs = sent(master, f"GET {USERS}/{user.public_id}").json()["lastActions"]
    assert [each["action"] for each in own] == ["user.update"]
    assert theirs == []


def test_all_fields_change_at_once_under_one_row_of_the_trail(master: Client) -> None:
    user = make_member(make_tenant(), email="old@acme.example")
    open_session(user)
    response = patched(
        master,
        user,
        name="New Name",
        email="NEW@acme.example",
        status="suspended",
        role="admin",
        staffRoles=["support"],
        notes="moved",
    )
    body = response.json()
    assert response.status_code == 200, body
    assert (body["name"], body["email"], body["status"], body["role"], body["staffRoles"], body["notes"]) == (
        "New Name",
        "new@acme.example",
        "suspended",
        "admin",
        ["support"],
        "moved",
    )
    assert body["sessions"] == []
    assert trail("user.update").outcome == "success"
    assert response["ETag"] == '"v2"'


def test_a_new_address_ends_sessions_voids_reset_links_and_tells_the_old_one(master: Client) -> None:
    user = make_user(email="old@acme.example", reset_requested_at=now())
    key = by_token(user)
    open_session(user)
    before = user.tokens_valid_after
    assert patched(master, user, email="new@acme.example").status_code == 200
    user.refresh_from_db()
    assert user.email == "new@acme.example"
    assert user.tokens_valid_after != before
    assert user.reset_requested_at is None
    assert [mail["to"] for mail in mails()] == ["old@acme.example"]
    assert sent(key, f"GET {USERS}/{user.public_id}").status_code == 401


def test_somebody_elses_address_is_409_and_nothing_changes(master: Client) -> None:
    make_user(email="taken@acme.example")
    user = make_user(email="mine@acme.example", name="Mine")
    refused(patched(master, user, name="Other", email="Taken@acme.example"), 409, "conflict")
    user.refresh_from_db()
    assert (user.name, user.email, user.tokens_valid_after) == ("Mine", "mine@acme.example", None)
    assert mails() == []


def test_active_lifts_suspension_and_block(master: Client) -> None:
    user = make_user(suspended_at=now() - timedelta(days=1), blocked_at=now())
    assert patched(master, user, status="active").json()["status"] == "active"
    user.refresh_from_db()
    assert (user.suspended_at, user.blocked_at) == (None, None)


def test_nobody_keeps_themselves_or_the_last_super_admin_out(master: Client, operator: User) -> None:
    refused(patched(master, operator, status="suspended"), 409, "conflict")
    other = make_staff("super_admin")
    assert patched(master, other, status="blocked").status_code == 200
    body = {"blocked": True, "reason": "asked for it"}
    refused(sent(master, f"POST {USERS}/{operator.public_id}/block", body), 409, "conflict")
    operator.refresh_from_db()
    assert operator.is_active


def test_a_role_without_its_tenant_is_refused_where_there_are_several(master: Client) -> None:
    tenant = make_tenant()
    user = make_member(tenant)
    make_tenant_of = make_tenant()
    user.memberships.create(tenant=make_tenant_of, role="member")
    error = refused(patched(master, user, role="admin"), 400, "invalid_request")
    assert set(error["details"]) == {"tenantId"}
    assert patched(master, user, role="admin", tenantId=tenant.public_id).status_code == 200
    assert user.memberships.get(tenant=tenant).role == "admin"


def test_super_admin_waits_for_a_second_person_where_the_policy_says_so(
    master: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = type(knob("approvals.users.grant_super_admin"))
    monkeypatch.setattr(policy, "get", _always(policy.get))
    user = make_user()
    response = patched(master, user, staffRoles=["super_admin"])
    assert (response.status_code, response.json()["status"]) == (202, "pending_approval")
    assert not User.objects.select_related("staff").get(pk=user.pk).is_staff
    refused(patched(master, user, staffRoles=["super_admin"], email="x@acme.example"), 400, "invalid_request")


def _always(real: Any) -> Any:
    def get(self: Any, *args: Any, **kwargs: Any) -> Any:
        return "always" if self.name == "approvals.users.grant_super_admin" else real(self, *args, **kwargs)

    return get


def test_a_block_ends_sessions_and_tokens_at_once_and_can_be_lifted(master: Client) -> None:
    user = make_staff("admin")
    session, token = by_session(user), by_token(user)
    address = "/api/v1/platform/admin/plans"
    assert (session.get(address).status_code, token.get(address).status_code) == (200, 200)
    line = f"POST {USERS}/{user.public_id}/block"
    body = sent(master, line, {"blocked": True, "reason": "left us"}).json()
    assert body == {"ok": True, "userId": user.public_id, "status": "blocked"}
    assert (session.get(address).status_code, token.get(address).status_code) == (401, 401)
    refused(sent(master, line, {"blocked": True, "reason": "left us"}), 409, "conflict")
    assert sent(master, line, {"blocked": False, "reason": "is back"}).json()["status"] == "active"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"blocked": True},
        {"blocked": "true", "reason": "a reason"},
        {"blocked": 1, "reason": "a reason"},
        {"blocked": True, "reason": "x"},
        {"blocked": True, "reason": "x" * 501},
        {"blocked": True, "reason": None},
    ],
)
def test_a_block_without_a_flag_or_a_reason_is_400(master: Client, body: dict[str, Any]) -> None:
    user = make_user()
    refused(sent(master, f"POST {USERS}/{user.public_id}/block", body), 400, "invalid_request")
    user.refresh_from_db()
    assert user.blocked_at is None


def test_a_reset_mails_a_link_and_says_until_when(master: Client) -> None:
    user = make_user()
    body = sent(master, f"POST {USERS}/{user.public_id}/reset-password").json()
    assert (body["ok"], body["resetEmailSent"]) == (True, True)
    assert body["expiresAt"].endswith("Z")
    assert len(mails()) == 1


def test_an_old_version_is_412(master: Client) -> None:
    user = make_user()
    response = sent(master, f"PATCH {USERS}/{user.public_id}", {"name": "A"}, **{"If-Match": '"v7"'})
    refused(response, 412, "version_conflict")
    assert response["ETag"] == '"v1"'


def test_a_session_needs_its_csrf_token_for_changes(operator: User) -> None:
    user = make_user()
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.cookies = by_session(operator).cookies
    assert sent(client, f"GET {USERS}/{user.public_id}").status_code == 200
    refused(sent(client, f"PATCH {USERS}/{user.public_id}", {"name": "A"}), 403, "forbidden")
