"""The back office without a mouse: the palette, lists, dialogs, tabs; nothing traps the focus, all give it back."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from apps.core.clock import now
from apps.tenants.models import Tenant
from apps.users.models import User
from tests.browser.conftest import Desk
from tests.factories import make_facts, make_member, make_staff, make_tenant
from tests.factories.people import PASSWORD
from tests.users.support import code, enrol

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# What has the focus: its text, or else its name.
FOCUSED = "(document.activeElement.textContent.trim() || document.activeElement.name || document.activeElement.tagName)"


def customer() -> Tenant:
    tenant = make_tenant("starter", company_name="Atlas Freight")
    make_facts(tenant, members=1)
    make_member(tenant, "owner", name="Maria Chen", email="maria@atlas.example")
    return tenant


def operator() -> User:
    return make_staff("super_admin", email="olga@steward.example")


def chosen(page: Page, box: str) -> str:
    return page.locator(f"{box} [aria-selected=true] .sw-suggestion-title").inner_text()


def test_sign_in_needs_no_mouse(desk: Desk) -> None:
    user = operator()
    secret = enrol(user)
    page = desk.go("/backoffice/")
    page.locator("input[name=login]").focus()
    page.keyboard.type(user.email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("input[name=code]")
    expect(page.locator("input[name=code]")).to_be_focused()
    page.keyboard.type(code(secret))
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Home")


def test_skip_link_comes_first_and_leads_past_the_navigation(desk: Desk) -> None:
    customer()
    page = desk.enter(operator()).go("/backoffice/tenants/")
    page.keyboard.press("Tab")
    expect(page.locator(".sw-skip")).to_be_focused()
    expect(page.locator(".sw-skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("[data-slash]")).to_be_focused()


def test_palette_finds_a_tenant_by_arrows_and_opens_it(desk: Desk) -> None:
    customer()
    page = desk.enter(operator()).go("/backoffice/")
    opener = page.locator("[data-palette-open]")
    opener.focus()
    page.keyboard.press("Control+k")
    field = page.locator("#palette input")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-expanded", "true")
    page.keyboard.type("atlas")
    expect(page.locator("#palette-said")).to_have_text("2 found")
    desk.keep("palette")
    # Its name begins so; of the other, the address.
    assert chosen(page, "#palette-results") == "Atlas Freight"
    assert field.get_attribute("aria-activedescendant") == "palette-1-1"
    page.keyboard.press("ArrowDown")
    assert chosen(page, "#palette-results") == "Maria Chen"
    page.keyboard.press("ArrowDown")
    assert chosen(page, "#palette-results") == "Atlas Freight"  # round
    page.keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()
    expect(opener).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("atlas frei")
    page.keyboard.press("Enter")  # before the answer is there: it opens when it comes
    expect(page.locator(".sw-head h1")).to_have_text("Atlas Freight")


def test_palette_says_when_nothing_is_found_and_when_nothing_answers(desk: Desk) -> None:
    page = desk.enter(operator()).go("/backoffice/")
    page.keyboard.press("Control+k")
    page.keyboard.type("zzzqqq")
    expect(page.locator("#palette-results")).to_contain_text("Nothing found for “zzzqqq”")
    expect(page.locator("#palette-said")).to_have_text("Nothing found")

    def broken(route: Route) -> None:
        route.fulfill(status=404, body="<h1>A page of its own</h1>")

    page.route("**/backoffice/search/**", broken)
    page.keyboard.type("z")
    expect(page.locator("#palette-results")).to_have_text("The search did not answer. Try again in a moment.")


def test_dialog_that_fails_says_so_and_keeps_what_was_typed(desk: Desk) -> None:
    tenant = customer()
    page = desk.enter(operator()).go(f"/backoffice/tenants/{tenant.public_id}/")
    page.click("text=Suspend")
    reason = page.locator("#modal textarea")
    reason.fill("Ticket 4711")
    page.route("**/suspend/", lambda route: route.abort())
    page.locator("#modal button[type=submit]").click()
    expect(page.locator("#modal [role=alert]")).to_contain_text("That did not work")
    expect(reason).to_have_value("Ticket 4711")
    expect(page.locator("#modal button[type=submit]")).to_be_enabled()
    desk.complaints = [one for one in desk.complaints if "ERR_FAILED" not in one and "htmx:" not in one]


def test_typing_on_drops_the_answer_to_what_was_typed_before(desk: Desk) -> None:
    customer()
    page = desk.enter(operator()).page
    page.clock.install()
    desk.go("/backoffice/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/search/" in request.url else None)
    page.keyboard.press("Control+k")
    expect(page.locator("#palette-results [aria-selected]").first).to_be_visible()
    # Its clock stands: no pause between two keys is long enough to ask.
    page.clock.pause_at(now() + timedelta(minutes=5))
    page.keyboard.type("atlas")
    page.clock.run_for(1_000)
    expect(page.locator("#palette-results")).to_contain_text("Atlas Freight")
    assert len([url for url in asked if "q=atlas" in url]) == 1
    assert len(asked) == 2  # the empty palette, and the whole word


def test_dialog_keeps_the_focus_inside_and_gives_it_back(desk: Desk) -> None:
    tenant = customer()
    page = desk.enter(operator()).go(f"/backoffice/tenants/{tenant.public_id}/")
    suspend = page.locator("a", has_text="Suspend")
    suspend.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#modal textarea")).to_be_focused()
    inside = "document.activeElement === document.body || !!document.activeElement.closest('#modal')"
    for key in ["Tab"] * 5 + ["Shift+Tab"] * 5:
        page.keyboard.press(key)
        assert page.evaluate(inside), page.evaluate(FOCUSED)
    page.keyboard.press("Escape")
    expect(page.locator("#modal")).to_be_hidden()
    expect(suspend).to_be_focused()


def test_menu_of_actions_opens_by_key_and_closes_with_escape(desk: Desk) -> None:
    tenant = customer()
    page = desk.enter(operator()).go(f"/backoffice/tenants/{tenant.public_id}/")
    more = page.locator(".sw-actions summary")
    more.focus()
    page.keyboard.press("Enter")
    item = page.locator(".sw-actions .sw-menu-items a").first
    expect(item).to_be_visible()
    page.keyboard.press("Tab")
    expect(item).to_be_focused()
    page.keyboard.press("Escape")
    expect(item).to_be_hidden()
    expect(more).to_be_focused()


def test_row_leads_to_its_page_and_tab_to_its_part(desk: Desk) -> None:
    customer()
    page = desk.enter(operator()).go("/backoffice/tenants/")
    page.locator("tbody a").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".sw-head h1")).to_have_text("Atlas Freight")
    page.locator(".sw-tabs a", has_text="Members").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".sw-blocks")).to_contain_text("Maria Chen")
    expect(page.locator(".sw-tabs [aria-current]")).to_have_text("Members")


def test_pages_of_a_list_are_turned_by_key(desk: Desk) -> None:
    for number in range(51):
        make_facts(make_tenant(company_name=f"Tenant {number}"))
    page = desk.enter(operator()).go("/backoffice/tenants/")
    page.locator("a[rel=next]").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".sw-pager")).to_contain_text("Rows 51 to 51")
    page.locator("a[rel=prev]").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".sw-pager")).to_contain_text("Rows 1 to 50")


def test_slash_leads_into_the_search_and_suggestions_into_a_page(desk: Desk) -> None:
    customer()
    page = desk.enter(operator()).go("/backoffice/users/")
    page.keyboard.press("/")
    page.keyboard.type("maria")
    expect(page.locator("#suggestions")).to_contain_text("Maria Chen")
    page.keyboard.press("ArrowDown")
    assert chosen(page, "#suggestions") == "Maria Chen"
    page.keyboard.press("Enter")
    expect(page.locator(".sw-head h1")).to_have_text("Maria Chen")


def test_every_stop_of_the_tab_key_on_a_list_is_passed_and_seen(desk: Desk) -> None:
    """No trap: from the skip link the focus walks on and out of the page; each stop can be seen to have it."""
    customer()
    page = desk.enter(operator()).go("/backoffice/tenants/")
    stops: list[str] = []
    for _ in range(80):
        page.keyboard.press("Tab")
        at = page.evaluate(
            "() => { const at = document.activeElement; if (at === document.body) return null;"
            " const style = getComputedStyle(at), box = at.getBoundingClientRect();"
            " const ring = style.outlineStyle !== 'none' || (at.closest('label') && true);"
            " return [at.outerHTML.slice(0, 80), ring && box.width > 0]; }"
        )
        if at is None:
            break
        assert at[1], at[0]
        stops.append(at[0])
    else:
        pytest.fail(f"the focus never left the page: {stops[-5:]}")
    assert len(stops) > 15
