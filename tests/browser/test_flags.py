"""Flags without a mouse: a flag is made, a rule written and previewed, saved, and the panel asked who gets what."""

import pytest
from playwright.sync_api import Page, expect

from apps.flags.models import Flag
from apps.tenants.models import Tenant
from tests.browser.axe import defects
from tests.browser.conftest import Desk
from tests.factories import make_facts, make_staff, make_tenant

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def customer(company: str, plan: str) -> Tenant:
    found = make_tenant(plan, company_name=company, slug=company.split(maxsplit=1)[0].lower())
    make_facts(found)
    return found


def press(page: Page, name: str) -> None:
    """The button of that name, by Enter."""
    page.get_by_role("button", name=name, exact=True).last.focus()
    page.keyboard.press("Enter")


def write_rule(page: Page) -> None:
    """If plan is one of professional, serve a split of 25 and 75 percent."""
    press(page, "Add a rule")
    expect(page.get_by_label("Attribute")).to_be_focused()
    page.keyboard.type("plan")
    page.keyboard.press("Tab")
    page.keyboard.type("is one")
    expect(page.get_by_label("Operator")).to_have_value("in")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Value").first).to_have_attribute("placeholder", "pro, growth")
    page.keyboard.type("professional")
    page.locator("[data-serve]").select_option("*")
    page.locator("[data-weight]").first.fill("25")
    expect(page.locator("[data-sum]")).to_contain_text("must be 100")
    page.locator("[data-weight]").last.fill("75")
    expect(page.locator("[data-sum]")).to_have_text("= 100 %")
    page.locator("[data-serve]").select_option("on")
    expect(page.locator("[data-split]")).to_be_hidden()


def test_a_flag_is_made_ruled_previewed_saved_and_asked_by_keyboard(desk: Desk) -> None:
    customer("Atlas Freight", "professional")
    customer("Borealis", "starter")
    page = desk.enter(make_staff("super_admin", email="olga@steward.example")).go("/backoffice/flags/")
    page.locator("a", has_text="New flag").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#modal [name=key]")).to_be_focused()
    page.keyboard.type("checkout.new-form")
    page.locator("#modal [name=reason]").fill("Ticket 4711")
    press(page, "Create it")
    expect(page.locator(".sw-tabs [aria-current]")).to_have_text("Rules")
    write_rule(page)
    press(page, "Preview")
    expect(page.locator(".sw-impact")).to_contain_text("1 of 2 tenants get another value")
    assert defects(page) == []
    desk.keep("flag-preview")
    press(page, "Save")
    expect(page.locator("[name=reason]")).to_be_focused()
    expect(page.locator(".sw-editor-end [role=alert]")).to_contain_text("Say why")
    page.keyboard.type("Ticket 4711")
    press(page, "Save")
    expect(page.locator(".sw-plain-rules")).to_contain_text("If plan is one of professional, serve on")
    assert Flag.objects.get().version == 2
    page.locator(".sw-tabs a", has_text="Who gets what").focus()
    page.keyboard.press("Enter")
    page.get_by_role("textbox", name="Tenant").focus()
    page.keyboard.type("atlas")
    page.keyboard.press("Enter")
    expect(page.locator(".sw-block[role=status]")).to_contain_text("Atlas Freight gets on")
    expect(page.locator(".sw-block[role=status]")).to_contain_text("rule 1 matched")
    desk.keep("flag-question")
    page.get_by_role("textbox", name="Tenant").fill("borealis")
    page.keyboard.press("Enter")
    expect(page.locator(".sw-block[role=status]")).to_contain_text("Borealis gets off")


def test_the_input_of_a_value_fits_its_operator(desk: Desk) -> None:
    desk.enter(make_staff("super_admin"))
    flag = Flag.objects.create(
        key="checkout",
        variations=[{"key": "on", "value": True}, {"key": "off", "value": False}],
        salt="s",
        rollout={"percentage": 10},
    )
    page = desk.go(f"/backoffice/flags/{flag.key}/?tab=edit")
    page.get_by_role("button", name="Add a rule").click()
    page.get_by_label("Attribute").fill("userId")
    page.get_by_label("Operator").select_option("exists")
    expect(page.get_by_label("There or absent")).to_be_visible()
    expect(page.locator("[data-condition] [aria-label=Value]")).to_be_hidden()
    page.get_by_label("There or absent").select_option("false")
    slider = page.locator("[data-slider]")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-percentage]")).to_have_value("11")
    page.get_by_role("button", name="Preview").last.click()
    expect(page.locator(".sw-impact")).to_contain_text("If userId is absent, serve on")
    expect(page.locator(".sw-impact")).to_contain_text("11 % by tenantId")
