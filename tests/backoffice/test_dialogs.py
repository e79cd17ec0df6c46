"""Dialogs: each change goes through its service and leaves one row in the trail; a refusal changes nothing."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.audit.models import AuditDetail, AuditEntry
from apps.core.clock import now
from apps.core.models import Job
from apps.plans.models import Plan, PlanVersion
from apps.tenants.enums import TenantStatus
from apps.tenants.models import BillingOverride, PlanOverride, Purge, Tenant
from apps.users.models import Membership, StaffMember, User
from tests.backoffice.visits import visitor
from tests.factories import get_plan, make_facts, make_member, make_staff, make_tenant, make_user
from tests.users.support import enrol

REASON = {"reason": "ticket 4711, asked by the customer"}


def say(client: Client, address: str, **data: Any) -> Any:
    """What the dialog's script sends."""
    return client.post(f"/backoffice/{address}/", {**REASON, **data}, headers={"HX-Request": "true"})


def written(action: str) -> AuditEntry:
    """The one row of the trail beside looks; it bears the action's name, and the reason."""
    entry = AuditEntry.objects.exclude(action__in=["user.view", "mfa.enrol"]).get()
    assert (entry.action, entry.outcome, entry.via) == (action, "success", "backoffice")
    assert REASON["reason"] in AuditDetail.objects.get(entry=entry, part="subject").body
    return entry


USER_ACTIONS = [
    ("suspend", "user.suspend", {}),
    ("block", "user.block", {}),
    ("revoke-sessions", "user.revoke_sessions", {}),
    ("reset-password", "user.request_password_reset", {}),
    ("rename", "user.update", {"name": "Grace Hopper"}),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "action", "data"), USER_ACTIONS)
def test_action_on_a_user_calls_its_service_once(name: str, action: str, data: dict[str, str]) -> None:
    user = make_member(make_tenant())
    response = say(visitor("super_admin"), f"users/{user.public_id}/{name}", **data)
    assert response.status_code == 204
    assert response["HX-Redirect"] == f"/backoffice/users/{user.public_id}/"
    assert written(action).resource_id == user.public_id


@pytest.mark.django_db
def test_suspended_user_is_shown_so_and_can_be_let_in_again() -> None:
    user, client = make_user(), visitor("admin")
    page = f"/backoffice/users/{user.public_id}/"
    assert b"Lift the suspension" not in client.get(page).content
    say(client, f"users/{user.public_id}/suspend")
    shown = client.get(page).content
    assert b"The user was suspended" in shown
    assert b">suspended<" in shown
    assert b"Lift the suspension" in shown
    assert say(client, f"users/{user.public_id}/unsuspend").status_code == 204
    user.refresh_from_db()
    assert user.suspended_at is None


@pytest.mark.django_db
def test_role_in_one_of_several_tenants_changes_there_alone() -> None:
    first, second = make_tenant(), make_tenant()
    user = make_member(first)
    Membership.objects.create(user=user, tenant=second, role="member")
    client = visitor("super_admin")
    assert (
        say(client, f"users/{user.public_id}/change-role", tenant_id=str(second.id), role="admin").status_code
        == 204
    )
    assert dict(Membership.objects.filter(user=user).values_list("tenant_id", "role")) == {
        first.id: "member",
        second.id: "admin",
    }
    written("user.update")


@pytest.mark.django_db
def test_staff_is_taken_on_given_roles_and_let_go() -> None:
    client = visitor("super_admin")
    response = say(client, "staff/create", email="new@steward.example", name="New One", staff_roles=["ops"])
    user = User.objects.get(email="new@steward.example")
    assert response["HX-Redirect"] == f"/backoffice/staff/{user.public_id}/"
    assert Job.objects.filter(name="core.send_mail").count() == 1
    say(client, f"staff/{user.public_id}/roles", staff_roles=["support", "finance"])
    assert set(StaffMember.objects.get(user=user).roles) == {"support", "finance"}
    say(client, f"staff/{user.public_id}/deactivate")
    assert not StaffMember.objects.get(user=user).is_active
    actions = AuditEntry.objects.order_by("at").values_list("action", flat=True)
    assert list(actions) == ["staff.create", "staff.set_roles", "staff.deactivate"]


@pytest.mark.django_db
def test_giving_super_admin_waits_for_a_second_person() -> None:
    other, client = make_staff("admin"), visitor("super_admin")
    assert say(client, f"staff/{other.public_id}/roles", staff_roles=["super_admin"]).status_code == 204
    assert StaffMember.objects.get(user=other).roles == ["admin"]
    assert b"second person" in client.get("/backoffice/staff/").content


@pytest.mark.django_db
def test_lost_second_factor_is_taken_away() -> None:
    other = make_staff("support")
    enrol(other)
    assert say(visitor("super_admin"), f"staff/{other.public_id}/reset-two-factor").status_code == 204
    written("mfa.reset")


@pytest.mark.django_db
def test_last_super_admin_keeps_the_role_and_the_dialog_says_why() -> None:
    client = visitor("super_admin")
    own = StaffMember.objects.get()
    response = say(client, f"staff/{own.user.public_id}/deactivate")
    assert response.status_code == 409
    assert b"This is the last active super_admin." in response.content
    assert StaffMember.objects.get().is_active
    assert not AuditEntry.objects.exclude(action="user.view").exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "before", "after", "action"),
    [
        ("suspend", TenantStatus.ACTIVE, TenantStatus.SUSPENDED, "tenant.suspend"),
        ("activate", TenantStatus.TRIAL, TenantStatus.ACTIVE, "tenant.activate"),
        ("cancel", TenantStatus.ACTIVE, TenantStatus.CANCELLED, "tenant.cancel"),
    ],
)
def test_action_on_a_tenant_moves_it_once(name: str, before: str, after: str, action: str) -> None:
    tenant = make_tenant(status=before, trial_ends_at=now() + timedelta(days=3))
    assert say(visitor("super_admin"), f"tenants/{tenant.public_id}/{name}").status_code == 204
    tenant.refresh_from_db()
    assert tenant.status == after
    assert written(action).tenant_id == tenant.id


@pytest.mark.django_db
def test_suspended_tenant_is_reinstated() -> None:
    tenant = make_tenant(
        status=TenantStatus.SUSPENDED, suspended_from=TenantStatus.ACTIVE, suspended_at=now()
    )
    client = visitor("super_admin")
    assert b"Suspended: its sessions" in client.get(f"/backoffice/tenants/{tenant.public_id}/").content
    assert say(client, f"tenants/{tenant.public_id}/reinstate").status_code == 204
    tenant.refresh_from_db()
    assert tenant.status == TenantStatus.ACTIVE


@pytest.mark.django_db
def test_plan_override_is_in_force_shown_with_its_origin_and_lifted() -> None:
    tenant, client = make_tenant(), visitor("admin")
    response = say(
        client, f"tenants/{tenant.public_id}/override-plan",
        plan_id="enterprise", price_monthly="1200.50", max_users="500", max_domains="unlimited",
    )  # fmt: skip
    assert response["HX-Redirect"] == f"/backoffice/tenants/{tenant.public_id}/?tab=plan"
    override = PlanOverride.objects.get()
    assert (override.limits, str(override.price_monthly)) == (
        {"max_users": 500, "max_domains": None},
        "1200.50",
    )
    written("tenant.override_plan")
    page = client.get(response["HX-Redirect"]).content.decode()
    assert "Enterprise, 1,200.50 a month, Users 500, Domains unlimited" in page
    assert ">override<" in page
    assert "Lift the plan override" in page
    assert say(client, f"tenants/{tenant.public_id}/lift-plan").status_code == 204
    assert PlanOverride.objects.get().lifted_at is not None
    assert (
        "Lift the plan override"
        not in client.get(f"/backoffice/tenants/{tenant.public_id}/").content.decode()
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({}, "Name a plan, a price, or at least one limit."),
        ({"max_users": "many"}, "A whole number, or “unlimited”."),
        ({"max_users": "-3"}, "A whole number, or “unlimited”."),
        ({"price_monthly": "-1"}, "greater than or equal to 0"),
        ({"plan_id": "nothing"}, "Select a valid choice"),
        ({"plan_id": "pro", "ends_at": "2001-01-01"}, "A moment to come."),
        ({"plan_id": "pro", "reason": ""}, "Say why: the audit trail keeps it."),
    ],
)
def test_wrong_override_is_explained_in_the_dialog_and_changes_nothing(
    data: dict[str, str], sentence: str
) -> None:
    tenant = make_tenant()
    response = say(visitor("admin"), f"tenants/{tenant.public_id}/override-plan", **data)
    assert response.status_code == 400
    assert sentence in response.content.decode()
    assert not PlanOverride.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db
def test_billing_override_takes_only_what_belongs_to_its_type() -> None:
    tenant, client = (
        make_tenant(status=TenantStatus.TRIAL, trial_ends_at=now() + timedelta(days=1)),
        visitor("admin"),
    )
    later = (now() + timedelta(days=40)).date()
    address = f"tenants/{tenant.public_id}/override-billing"
    assert (
        say(client, address, type="extended_trial", trial_end_date=str(later), cycle="annual").status_code
        == 204
    )
    override = BillingOverride.objects.get()
    assert (override.type, override.trial_end_date, override.cycle) == ("extended_trial", later, "")
    written("tenant.override_billing")
    assert say(client, f"tenants/{tenant.public_id}/lift-billing").status_code == 204
    without = say(client, address, type="payment_method")
    assert without.status_code == 400
    assert b"payment_method needs it." in without.content


@pytest.mark.django_db
def test_test_tenant_is_made_with_its_people_and_opened() -> None:
    response = say(
        visitor("qa"), "tenants/create-test",
        company_name="Playground", owner_email="owner@play.example", plan="pro", auto_cleanup_days="3",
    )  # fmt: skip
    tenant = Tenant.objects.get()
    assert response["HX-Redirect"] == f"/backoffice/tenants/{tenant.public_id}/"
    assert tenant.is_test
    assert Membership.objects.filter(tenant=tenant).count() > 1
    written("tenant.create_test")


@pytest.mark.django_db
def test_purge_asks_for_the_slug_and_begins() -> None:
    tenant = make_tenant(status=TenantStatus.CANCELLED, cancelled_at=now())
    client = visitor("super_admin")
    address = f"tenants/{tenant.public_id}/purge"
    assert say(client, address, slug="another").status_code == 400
    assert not Purge.objects.exists()
    assert say(client, address, slug=tenant.slug)["HX-Redirect"] == "/backoffice/tenants/"
    assert Purge.objects.get().tenant_id == tenant.id
    assert b"It is being removed." in client.get(f"/backoffice/tenants/{tenant.public_id}/").content


def limits_of(plan: Plan, **changed: Any) -> dict[str, Any]:
    version = PlanVersion.objects.get(plan=plan, version=plan.version)
    limits = {key: "" if value is None else value for key, value in version.limits.items()}
    features = [key for key, on in version.features.items() if on]
    return {**limits, "features": features, "capabilities": version.capabilities, **changed}


@pytest.mark.django_db
def test_lower_limits_show_who_would_be_above_them_before_they_are_saved() -> None:
    plan = get_plan("starter")
    tenant = make_tenant(plan)
    make_facts(tenant, members=4)
    client, address = visitor("super_admin"), f"plans/{plan.public_id}/limits"
    asked = say(client, address, **limits_of(plan, max_users="2"))
    assert asked.status_code == 400
    assert f"1 tenant is above these limits: {tenant.company_name}." in asked.content.decode()
    assert PlanVersion.objects.filter(plan=plan).count() == 1
    assert say(client, address, **limits_of(plan, max_users="2"), go_on="on").status_code == 204
    plan.refresh_from_db()
    assert (plan.version, plan.versions.get(version=2).limit("max_users")) == (2, 2)
    written("plan.update")
    versions = client.get(f"/backoffice/plans/{plan.public_id}/?tab=versions").content.decode()
    assert "→ 2" in versions


@pytest.mark.django_db
def test_terms_of_a_plan_are_saved_in_minor_units() -> None:
    plan = get_plan("starter")
    response = say(
        visitor("super_admin"), f"plans/{plan.public_id}/terms",
        name="Starter", description="", price_monthly="31.50", price_yearly="315", trial_days="10", is_active="on",
    )  # fmt: skip
    assert response.status_code == 204
    plan.refresh_from_db()
    assert (plan.price_monthly, plan.price_yearly, plan.trial_days) == (3150, 31500, 10)
    written("plan.update")


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["admin", "support", "finance", "ops", "qa"])
def test_action_without_right_is_refused_and_changes_nothing(role: str) -> None:
    tenant = make_tenant(is_test=True)
    response = say(visitor(role), f"tenants/{tenant.public_id}/suspend")
    assert response.status_code == 403
    tenant.refresh_from_db()
    assert tenant.status == TenantStatus.ACTIVE
    assert not AuditEntry.objects.exclude(outcome="denied").exists()


@pytest.mark.django_db
def test_qa_can_not_suspend_a_person_of_a_real_customer() -> None:
    user = make_member(make_tenant())
    assert say(visitor("qa"), f"users/{user.public_id}/suspend").status_code == 404
    user.refresh_from_db()
    assert user.suspended_at is None


@pytest.mark.django_db
def test_admin_who_would_suspend_a_super_admin_is_told_and_the_trail_knows() -> None:
    above = make_staff("super_admin")
    response = say(visitor("admin"), f"users/{above.public_id}/suspend")
    assert response.status_code == 403
    assert "Only a super_admin may do this to a super_admin." in response.content.decode()
    entry = AuditEntry.objects.exclude(action="user.view").get()
    assert (entry.action, entry.outcome) == ("users.suspend", "denied")
    assert entry.resource_id == f"/backoffice/users/{above.public_id}/suspend/"
    assert User.objects.get(pk=above.pk).suspended_at is None


@pytest.mark.django_db
def test_second_suspension_is_a_conflict_said_in_a_sentence() -> None:
    user, client = make_user(), visitor("admin")
    say(client, f"users/{user.public_id}/suspend")
    again = say(client, f"users/{user.public_id}/suspend")
    assert again.status_code == 409
    assert b"The user is suspended already." in again.content
    assert AuditEntry.objects.filter(action="user.suspend").count() == 1


@pytest.mark.django_db
def test_dialog_opened_without_script_is_a_page_and_leads_back() -> None:
    user, client = make_user(), visitor("admin")
    address = f"/backoffice/users/{user.public_id}/suspend/"
    page = client.get(address).content
    assert b'class="sw-nav"' in page
    assert b"every token end with the next request" in page
    assert client.post(address, REASON)["Location"] == f"/backoffice/users/{user.public_id}/"
    assert client.post(address, REASON).status_code == 409
