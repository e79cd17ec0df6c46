"""Giving somebody the role super_admin: a second person in the back office, none at a documented route."""

from dataclasses import replace

import pytest
from django.test import Client

from apps.approvals import services as approvals
from apps.approvals.errors import ApprovalRequired, OwnApproval
from apps.approvals.models import ApprovalRequest
from apps.approvals.services import Pending
from apps.audit.models import AuditEntry
from apps.core import knobs
from apps.core.errors import Forbidden
from apps.core.knobs import UNSET
from apps.core.principal import Principal, system
from apps.users import services
from apps.users.models import User
from tests.factories import make_staff, make_user, staff_principal
from tests.surfaces.platform.calling import USERS
from tests.users.support import sign_in

pytestmark = pytest.mark.django_db


def operator(via: str = "backoffice") -> Principal:
    return replace(staff_principal("super_admin"), via=via)


def roles(user: User) -> frozenset[str]:
    return User.objects.select_related("staff").get(pk=user.pk).staff_roles


def asked(user: User, actor: Principal, *held: str) -> Pending:
    outcome = services.change_staff_roles(
        actor=actor, user_id=user.pk, roles=["super_admin", *held], reason="on call"
    )
    assert isinstance(outcome, Pending)
    return outcome


def test_in_the_back_office_it_waits_and_another_super_admin_executes_it() -> None:
    user, asker, decider = make_staff("ops"), operator(), operator()
    pending = asked(user, asker, "ops")
    assert roles(user) == {"ops"}
    done = approvals.approve_request(actor=decider, request_id=pending.request.id)
    assert done.status == "executed"
    assert roles(user) == {"super_admin", "ops"}
    entry = AuditEntry.objects.get(action="users.grant_super_admin")
    assert (entry.person_id, entry.actor_id) == (user.pk, decider.id)
    assert entry.metadata["requested_by"] == asker.id


def test_the_one_who_asked_and_the_one_it_is_about_can_not_decide() -> None:
    user, asker = make_staff("admin"), operator()
    pending = asked(user, asker)
    for nobody in (asker, replace(user.principal(via="backoffice", address=None))):
        with pytest.raises((OwnApproval, Forbidden)):
            approvals.approve_request(actor=nobody, request_id=pending.request.id)
    assert roles(user) == {"admin"}


def test_past_the_request_it_is_refused() -> None:
    user = make_staff("ops")
    with pytest.raises(ApprovalRequired):
        services.set_staff_roles(actor=operator(), user_id=user.pk, roles=["super_admin"])
    with pytest.raises(ApprovalRequired):
        services.update_user(
            actor=operator(), user_id=user.pk, changes=services.UserChanges(staff_roles=["super_admin"])
        )
    with pytest.raises(ApprovalRequired) as refused:
        services.create_staff(actor=operator(), email="new@steward.example", roles=["super_admin"])
    assert list(refused.value.details) == ["staff_roles"]
    assert roles(user) == {"ops"}
    assert not User.objects.filter(email="new@steward.example").exists()


def test_what_does_not_newly_give_super_admin_needs_nobody() -> None:
    user, chief = make_staff("ops"), make_staff("super_admin")
    assert isinstance(services.change_staff_roles(actor=operator(), user_id=user.pk, roles=["qa"]), User)
    changed = services.change_staff_roles(actor=operator(), user_id=chief.pk, roles=["super_admin", "ops"])
    assert isinstance(changed, User)
    assert roles(chief) == {"super_admin", "ops"}


def test_person_who_changed_meanwhile_is_not_given_the_role() -> None:
    user = make_staff("ops")
    pending = asked(user, operator(), "ops")
    services.set_staff_roles(actor=operator(), user_id=user.pk, roles=["qa"])
    failed = approvals.approve_request(actor=operator(), request_id=pending.request.id)
    assert failed.status == "failed"
    assert roles(user) == {"qa"}


def test_steward_itself_and_documented_routes_need_nobody() -> None:
    first, second = make_user(), make_user()
    services.set_staff_roles(actor=system("bootstrap"), user_id=first.pk, roles=["super_admin"])
    services.set_staff_roles(actor=operator("platform"), user_id=second.pk, roles=["super_admin"])
    assert roles(first) == roles(second) == {"super_admin"}


class Always:
    def value(self, name: str, tenant_id: object) -> object:
        del tenant_id
        return "always" if name == "approvals.users.grant_super_admin" else UNSET


def test_where_the_policy_says_so_the_route_answers_202(client: Client) -> None:
    user, before = make_staff("ops"), knobs.source()
    sign_in(client, make_staff("super_admin"))
    knobs.provide(Always())
    try:
        path = f"{USERS}/{user.public_id}"
        mixed = client.patch(
            path, {"staff_roles": ["super_admin"], "name": "New"}, content_type="application/json"
        )
        waiting = client.patch(path, {"staff_roles": ["super_admin"]}, content_type="application/json")
    finally:
        knobs.provide(before)
    assert mixed.status_code == 400
    assert list(mixed.json()["error"]["details"]) == ["staff_roles"]
    assert waiting.status_code == 202
    row = ApprovalRequest.objects.get()
    assert waiting.json()["data"] == {"approval_id": row.public_id, "status": "pending_approval"}
    assert roles(user) == {"ops"}
