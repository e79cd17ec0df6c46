"""Users on the platform surface: profile, and what may be done to them."""

import json
from typing import Any

import pytest

from apps.audit.models import AuditEntry
from apps.core.clock import iso, now
from apps.users.models import Membership, User
from tests.factories import make_member, make_staff, make_tenant, make_user
from tests.surfaces.platform.calling import USERS, Caller
from tests.users.support import detail, enrol, mails, open_session, trail

pytestmark = pytest.mark.django_db

JOHN: dict[str, Any] = {"email": "john.doe@acme.example", "name": "John Doe"}


def test_the_profile_has_every_membership_and_leaves_a_row() -> None:
    me = Caller("admin")
    one, other = make_tenant("growth"), make_tenant("pro")
    user = make_member(one, "owner", **JOHN)
    Membership.objects.create(user=user, tenant=other, role="member")
    enrol(user)
    open_session(user)
    response = me.client.get(f"{USERS}/{user.public_id}")
    assert response["ETag"] == f'"v{user.version}"'
    assert response.json()["data"] == {
        "id": user.public_id,
        "email": user.email,
        "name": user.name,
        "role": "owner",
        "tenant_id": one.public_id,
        "staff_roles": [],
        "status": "active",
        "memberships": [
            {"tenant_id": one.public_id, "tenant_name": one.company_name, "role": "owner"},
            {"tenant_id": other.public_id, "tenant_name": other.company_name, "role": "member"},
        ],
        "plan": "growth",
        "last_login": None,
        "mfa_enabled": True,
        "active_sessions": 1,
        "created_at": iso(user.created_at),
        "updated_at": iso(User.objects.get(pk=user.pk).updated_at),
    }
    entry = trail("user.view")
    assert (entry.actor_id, entry.resource_id) == (me.user.public_id, user.public_id)
    assert detail(entry, "actor")["address"] == "127.0.0.1"


@pytest.mark.parametrize(
    "wrong", ["usr_00000000000000000000000000", "usr_1", "1", "tnt_01M7Z873F4ER8VVTBG89HD4BNM", "%00"]
)
def test_an_unknown_id_is_not_found(wrong: str) -> None:
    status, answer = Caller("admin").get(f"{USERS}/{wrong}")
    assert status == 404
    assert answer["error"]["code"] == "NOT_FOUND"


def test_suspension_over_the_surface() -> None:
    me = Caller("admin")
    user = make_user()
    path = f"{USERS}/{user.public_id}"
    status, answer = me.send("POST", f"{path}/suspend", {"reason": "fraud"})
    assert status == 200
    assert answer["data"]["status"] == "suspended"
    assert answer["data"]["user_id"] == user.public_id
    assert answer["data"]["suspended_at"].endswith("Z")
    assert trail("user.suspend").via == "platform"
    status, answer = me.send("POST", f"{path}/suspend", {"reason": "fraud"})
    assert (status, answer["error"]["code"]) == (409, "CONFLICT")
    status, answer = me.send("POST", f"{path}/unsuspend")
    assert (status, answer["data"]["status"]) == (200, "active")
    assert answer["data"]["suspended_at"] is None
    assert me.send("POST", f"{path}/unsuspend")[0] == 409


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reason": "no"},
        {"reason": "x" * 501},
        {"reason": 7},
        {"reason": None},
        {"reason": "ok!", "x": 1},
        [],
        "{",
    ],
)
def test_a_wrong_suspension_is_refused_and_changes_nothing(body: Any) -> None:
    me = Caller("admin")
    user = make_user()
    status, answer = me.send("POST", f"{USERS}/{user.public_id}/suspend", body)
    assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert User.objects.get(pk=user.pk).suspended_at is None
    assert not AuditEntry.objects.filter(action="user.suspend").exists()


def test_another_version_is_refused() -> None:
    me = Caller("admin")
    user = make_user()
    status, answer = me.send(
        "POST", f"{USERS}/{user.public_id}/suspend", {"reason": "fraud"}, **{"If-Match": '"v9"'}
    )
    assert (status, answer["error"]["code"]) == (412, "VERSION_CONFLICT")
    status, _ = me.send(
        "POST", f"{USERS}/{user.public_id}/suspend", {"reason": "fraud"}, **{"If-Match": '"v1"'}
    )
    assert status == 200


def test_a_trial_run_changes_nothing() -> None:
    me = Caller("admin")
    user = make_user()
    status, _ = me.send("POST", f"{USERS}/{user.public_id}/suspend?validate_only=true", {"reason": "fraud"})
    assert status == 200
    assert User.objects.get(pk=user.pk).suspended_at is None


def test_revocation_counts_the_sessions_that_it_ends() -> None:
    me = Caller("admin")
    user = make_user()
    for _ in range(3):
        open_session(user)
    status, answer = me.send("POST", f"{USERS}/{user.public_id}/revoke-sessions")
    assert status == 200
    assert answer["data"]["active_sessions_terminated"] == 3
    assert answer["data"]["revoked_at"] == iso(User.objects.get(pk=user.pk).tokens_valid_after or now())
    assert (
        me.send("POST", f"{USERS}/{user.public_id}/revoke-sessions")[1]["data"]["active_sessions_terminated"]
        == 0
    )


def test_revoking_ones_own_sessions_is_answered_and_ends_them() -> None:
    me = Caller("admin")
    assert me.send("POST", f"{USERS}/{me.user.public_id}/revoke-sessions")[0] == 200
    assert me.get(USERS)[0] == 401


def test_a_reset_mails_one_link_and_reveals_nothing() -> None:
    me = Caller("admin")
    user = make_user(**JOHN)
    status, answer = me.send("POST", f"{USERS}/{user.public_id}/reset-password")
    assert status == 200
    assert set(answer["data"]) == {"user_id", "reset_email_sent", "expires_at"}
    assert answer["data"]["reset_email_sent"] is True
    (mail,) = mails()
    assert mail["to"] == user.email
    assert "/accounts/password/reset/key/" in mail["text"]
    assert "/accounts/password" not in json.dumps(answer)
    assert detail(trail("user.request_password_reset"))["after"] == {}


def test_patch_changes_role_name_and_staff_roles_in_one_row() -> None:
    me = Caller()
    tenant = make_tenant()
    user = make_member(tenant, "member", **JOHN)
    open_session(user)
    status, answer = me.send(
        "PATCH",
        f"{USERS}/{user.public_id}",
        {"role": "admin", "name": "Johnny", "staff_roles": ["ops", "support"]},
    )
    assert status == 200
    assert answer["data"]["role"] == "admin"
    assert answer["data"]["user_id"] == user.public_id
    found = User.objects.select_related("staff").get(pk=user.pk)
    assert (found.name, found.staff_roles) == ("Johnny", frozenset({"ops", "support"}))
    assert Membership.objects.get(user=user).role == "admin"
    assert found.tokens_valid_after is not None
    entry = trail("user.update")
    assert detail(entry)["before"] == {"name": "John Doe", "role": "member", "staff_roles": []}
    assert detail(entry)["after"] == {"name": "Johnny", "role": "admin", "staff_roles": ["support", "ops"]}


def test_patch_asks_for_the_tenant_where_there_are_several() -> None:
    me = Caller()
    one, other = make_tenant(), make_tenant()
    user = make_member(one, "member")
    Membership.objects.create(user=user, tenant=other, role="member")
    path = f"{USERS}/{user.public_id}"
    status, answer = me.send("PATCH", path, {"role": "admin"})
    assert (status, list(answer["error"]["details"])) == (400, ["tenant_id"])
    status, answer = me.send("PATCH", path, {"role": "admin", "tenant_id": make_tenant().public_id})
    assert (status, list(answer["error"]["details"])) == (400, ["tenant_id"])
    assert answer["error"]["message"] == "The user is not a member of this tenant."
    status, answer = me.send("PATCH", path, {"role": "admin", "tenant_id": other.public_id})
    assert (status, answer["data"]["role"]) == (200, "admin")
    assert dict(Membership.objects.filter(user=user).values_list("tenant_id", "role")) == {
        one.pk: "member",
        other.pk: "admin",
    }


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"role": "super_admin"},
        {"staff_roles": ["king"]},
        {"staff_roles": "ops"},
        {"name": "x" * 201},
        {"name": None},
        {"email": "a@b.example"},
        {"tenant_id": "acme"},
    ],
)
def test_a_wrong_patch_is_refused(body: dict[str, Any]) -> None:
    user = make_member(make_tenant())
    status, answer = Caller().send("PATCH", f"{USERS}/{user.public_id}", body)
    assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert User.objects.get(pk=user.pk).version == 1


def test_a_role_in_no_tenant_is_a_conflict() -> None:
    status, answer = Caller().send("PATCH", f"{USERS}/{make_user().public_id}", {"role": "admin"})
    assert (status, answer["error"]["code"]) == (409, "CONFLICT")


def test_the_last_owner_of_a_live_tenant_keeps_the_role() -> None:
    tenant = make_tenant()
    owner = make_member(tenant, "owner")
    status, answer = Caller().send("PATCH", f"{USERS}/{owner.public_id}", {"role": "member"})
    assert (status, answer["error"]["code"]) == (409, "CONFLICT")
    assert tenant.slug in answer["error"]["message"]


def test_an_admin_may_not_stop_a_super_admin() -> None:
    above = f"{USERS}/{make_staff('super_admin').public_id}"
    for act, body in (("suspend", {"reason": "fraud"}), ("reset-password", {}), ("revoke-sessions", {})):
        status, answer = Caller("admin").send("POST", f"{above}/{act}", body)
        assert (status, answer["error"]["code"]) == (403, "UNAUTHORIZED")


def test_the_last_super_admin_keeps_the_role() -> None:
    me = Caller()
    path = f"{USERS}/{me.user.public_id}"
    for roles in ([], ["admin"]):
        status, answer = me.send("PATCH", path, {"staff_roles": roles})
        assert (status, answer["error"]["code"]) == (409, "CONFLICT")
    make_staff()
    assert me.send("PATCH", path, {"staff_roles": ["admin"]})[0] == 200
    assert me.get(USERS)[0] == 401  # a role change ends one's own sessions too


def test_patch_belongs_to_super_admin_alone() -> None:
    user = make_user()
    for role in ("admin", "support", "qa", "ops", "finance"):
        status, answer = Caller(role).send("PATCH", f"{USERS}/{user.public_id}", {"name": "X Y"})
        assert (status, answer["error"]["code"]) == (403, "UNAUTHORIZED")


def test_support_reads_the_profile_masked() -> None:
    me = Caller("support")
    user = make_user(**JOHN)
    _, answer = me.get(f"{USERS}/{user.public_id}")
    assert (answer["data"]["email"], answer["data"]["name"]) == ("j***@acme.example", "J*** D***")
    assert me.send("POST", f"{USERS}/{user.public_id}/suspend", {"reason": "fraud"})[0] == 403
