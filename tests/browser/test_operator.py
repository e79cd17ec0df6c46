"""An operator at work: signs in with TOTP, suspends, overrides a plan, works by keyboard and in the dark."""

import pytest
from playwright.sync_api import expect

from apps.audit.models import AuditEntry
from apps.tenants.models import PlanOverride, Tenant
from apps.users.models import User
from tests.browser.conftest import Desk
from tests.factories import make_facts, make_member, make_staff, make_tenant
from tests.factories.people import PASSWORD
from tests.users.support import code, enrol

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def operator() -> User:
    return make_staff("super_admin", name="Olga Operator", email="olga@steward.example")


def customer() -> Tenant:
    tenant = make_tenant("starter", company_name="Atlas Freight")
    make_facts(tenant, members=2)
    make_member(tenant, "owner", name="Maria Chen", email="maria@atlas.example")
    return tenant


def test_operator_signs_in_with_password_and_code_and_out_again(desk: Desk) -> None:
    user = operator()
    secret = enrol(user)
    page = desk.go("/backoffice/tenants/")
    expect(page).to_have_url(f"{desk.base}/accounts/login/?next=%2Fbackoffice%2Ftenants%2F")
    page.fill("input[name=login]", user.email)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("input[name=code]")
    desk.keep("sign-in-code")
    page.fill("input[name=code]", code(secret))
    page.click("button[type=submit]")
    expect(page.locator("h1")).to_have_text("Tenants")
    desk.keep("signed-in")
    page.click(".sw-me")
    page.click("text=Sign out")
    page.wait_for_url("**/accounts/**")
    desk.go("/backoffice/")
    expect(page).to_have_url(f"{desk.base}/accounts/login/?next=%2Fbackoffice%2F")


def test_operator_suspends_a_user_with_a_reason(desk: Desk) -> None:
    customer()
    page = desk.enter(operator()).go("/backoffice/users/?q=maria")
    page.click("text=Maria Chen")
    page.click("text=Suspend")
    dialog = page.locator("#modal")
    expect(dialog).to_contain_text("nobody signs in as this person")
    dialog.get_by_role("button", name="Suspend the user").click()
    expect(dialog).to_contain_text("Say why: the audit trail keeps it.")
    desk.keep("suspension-dialog")
    dialog.locator("textarea").fill("Phished, ticket 4711")
    dialog.get_by_role("button", name="Suspend the user").click()
    expect(page.locator(".sw-messages")).to_contain_text("The user was suspended")
    expect(page.locator(".sw-head")).to_contain_text("suspended")
    desk.keep("suspended-user")
    page.click("text=Audit trail")
    expect(page.locator(".sw-timeline")).to_contain_text("Phished, ticket 4711")
    assert User.objects.get(email="maria@atlas.example").suspended_at is not None
    assert AuditEntry.objects.filter(action="user.suspend", via="backoffice").count() == 1


def test_operator_overrides_a_plan_and_sees_where_each_limit_comes_from(desk: Desk) -> None:
    tenant = customer()
    page = desk.enter(operator()).go(f"/backoffice/tenants/{tenant.public_id}/")
    page.click("text=Edit plan")
    dialog = page.locator("#modal")
    dialog.get_by_label("Users").fill("many")
    dialog.get_by_label("Reason").fill("Agreed with finance")
    dialog.get_by_role("button", name="Override the plan").click()
    expect(dialog).to_contain_text("A whole number, or “unlimited”.")
    dialog.get_by_label("Users").fill("500")
    dialog.get_by_label("Price a month").fill("99.50")
    desk.keep("plan-override-dialog")
    dialog.get_by_role("button", name="Override the plan").click()
    page.wait_for_url("**/?tab=plan")
    limits = page.locator("section", has_text="Limits in force")
    expect(limits.locator("tr", has_text="Users")).to_contain_text("500")
    expect(limits.locator("tr", has_text="Users")).to_contain_text("override")
    expect(limits.locator("tr", has_text="Domains")).not_to_contain_text("override")
    desk.keep("plan-override")
    assert PlanOverride.objects.get().limits == {"max_users": 500}
    page.click("text=More")
    page.click("text=Lift the plan override")
    dialog.get_by_label("Reason").fill("Over")
    dialog.get_by_role("button", name="Lift it").click()
    expect(page.locator(".sw-messages")).to_contain_text("The plan override was lifted.")


def test_billing_dialog_shows_only_the_fields_of_the_chosen_type(desk: Desk) -> None:
    page = desk.enter(operator()).go(f"/backoffice/tenants/{customer().public_id}/")
    page.click("text=Billing")
    dialog = page.locator("#modal")
    trial, cycle = dialog.get_by_label("Last day of the trial"), dialog.get_by_label("Cycle")
    expect(trial).to_be_hidden()
    dialog.get_by_label("What").select_option("extended_trial")
    expect(trial).to_be_visible()
    expect(cycle).to_be_hidden()
    dialog.get_by_label("What").select_option("custom_cycle")
    expect(cycle).to_be_visible()
    expect(trial).to_be_hidden()


def test_theme_is_the_systems_until_chosen_and_then_stays(desk: Desk) -> None:
    customer()
    page = desk.enter(operator()).go("/backoffice/")
    html = page.locator("html")
    expect(html).not_to_have_class("dark")
    page.emulate_media(color_scheme="dark")
    expect(html).to_have_class("dark")
    page.click("[data-theme-next]")
    expect(html).not_to_have_class("dark")
    page.click("[data-theme-next]")
    expect(html).to_have_class("dark")
    page.emulate_media(color_scheme="light")
    desk.go("/backoffice/tenants/")
    expect(html).to_have_class("dark")
    desk.keep("dark")


def test_filter_applies_itself_and_stands_in_the_address(desk: Desk) -> None:
    customer()
    page = desk.enter(operator()).go("/backoffice/tenants/")
    page.get_by_label("Status").select_option("trial")
    page.wait_for_url("**/backoffice/tenants/?status=trial")
    expect(page.locator(".sw-empty")).to_contain_text("Nothing matches")
    page.click("text=Clear")
    expect(page.locator("tbody")).to_contain_text("Atlas Freight")
