"""Every page as people see and hear it: two widths, both themes; nothing overflows, all can be read, all has a name."""

from pathlib import Path
from typing import Any, Literal

import pytest

from apps.backoffice.site import site
from apps.core.access import allows
from tests.backoffice.visits import Page, World, make_world, pages
from tests.browser.axe import defects
from tests.browser.conftest import Desk
from tests.factories import make_facts, make_member, make_staff, make_tenant

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400), pytest.mark.django_db(transaction=True)]

WIDTHS = (1440, 900)
THEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
# Two parts of about the same length, so that two processes share them.
FIRST_PART = {
    "home",
    "users",
    "staff",
    "exports",
    "audit",
    "plans",
    "jobs",
    "configuration",
    "approvals",
    "segments",
}

BY_THEME = ("color-contrast", "link-in-text-block")

LOOK = (Path(__file__).parent / "look.js").read_text()


def look(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = desk.page.evaluate(LOOK)
    return found


def visited(world: World, part: int) -> list[Page]:
    every = [
        Page("home", "/backoffice/", ()),
        Page("nothing", "/backoffice/nothing/", ()),
        *(page for page in pages(world.live) if not page.name.endswith(": suggestions")),
    ]
    return [page for page in every if (page.name.split(":")[0] in FIRST_PART) == (part == 1)]


@pytest.mark.parametrize("part", [1, 2])
def test_every_page_can_be_read_in_both_widths_and_themes(desk: Desk, part: int) -> None:
    world = make_world()
    desk.enter(make_staff("super_admin"))
    for page in visited(world, part):
        desk.page.emulate_media(color_scheme="light")
        desk.go(page.url)
        kept = page.name.replace(": ", "-").replace(" ", "-")
        for width in WIDTHS:
            desk.page.set_viewport_size({"width": width, "height": 900})
            desk.keep(f"{kept}-{width}-light")
            found = look(desk)
            assert found["overflow"] <= 0, (page.name, width)
            assert found["faint"] == [], (page.name, width)
            assert found["nameless"] == [], (page.name, width)
            assert found["twice"] == [], page.name
            assert found["headings"] == 1, page.name
        assert defects(desk.page) == [], page.name
        desk.page.emulate_media(color_scheme="dark")
        desk.page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        desk.keep(f"{kept}-{WIDTHS[0]}-dark")
        assert look(desk)["faint"] == [], (page.name, "dark")
        # What else axe knows is the same in both themes; contrast it sees where look.js does not (borders, focus).
        assert defects(desk.page, *BY_THEME) == [], (page.name, "dark")


@pytest.mark.parametrize("role", ["admin", "support", "finance", "ops", "qa"])
def test_home_and_lists_of_each_role_can_be_read_and_heard(desk: Desk, role: str) -> None:
    world = make_world()
    staff = make_staff(role)
    desk.enter(staff)
    principal = staff.principal(via="backoffice", address=None)
    open_to = [section for section in site.sections if allows(principal, section.permission)]
    addresses = ["/backoffice/", *(section.list_url() for section in open_to)]
    place = world.places.test if role == "qa" else world.places.live
    addresses.append(f"/backoffice/tenants/{place.tenant.public_id}/")
    for address in addresses:
        desk.page.emulate_media(color_scheme="light")
        desk.go(address)
        assert defects(desk.page) == [], (role, address)
        desk.page.emulate_media(color_scheme="dark")
        found = look(desk)
        assert (found["overflow"], found["faint"]) == (0, []), (role, address)
        assert defects(desk.page, *BY_THEME) == [], (role, address, "dark")
    desk.go("/backoffice/")
    desk.keep(f"home-{role}")


def test_refused_page_names_the_roles(desk: Desk) -> None:
    desk.enter(make_staff("support")).go("/backoffice/audit/")
    desk.keep("refused")
    found = look(desk)
    assert (found["overflow"], found["faint"], found["nameless"], found["headings"]) == (0, [], [], 1)
    assert defects(desk.page) == []


def test_what_opens_over_a_page_can_be_read_and_heard(desk: Desk) -> None:
    world = make_world()
    page = desk.enter(make_staff("super_admin")).go(
        f"/backoffice/tenants/{world.places.live.tenant.public_id}/"
    )
    page.keyboard.press("Control+k")
    page.keyboard.type("acme")
    page.wait_for_selector("#palette-results [aria-selected=true] >> nth=0")
    assert defects(page) == [], "the palette"
    page.keyboard.press("Escape")
    page.click(".sw-me")
    assert defects(page) == [], "the menu of the account"
    page.keyboard.press("Escape")
    page.click("text=Edit plan")
    page.locator("#modal button[type=submit]").click()
    page.wait_for_selector("#modal .sw-field-error")
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        desk.keep(f"dialog-with-errors-{theme}")
        assert defects(page) == [], ("a dialog with errors", theme)


def assert_read_and_heard(desk: Desk, address: str) -> None:
    """In both themes and at both widths nothing is cut, faint or without a name."""
    for theme in THEMES:
        desk.page.emulate_media(color_scheme=theme)
        desk.go(address)
        for width in WIDTHS:
            desk.page.set_viewport_size({"width": width, "height": 900})
            found = look(desk)
            assert (found["overflow"], found["faint"], found["nameless"]) == (0, [], []), (address, theme)
        assert defects(desk.page) == [], (address, theme)


@pytest.mark.parametrize("address", ["/accounts/login/", "/accounts/password/reset/", "/nothing/", "/docs/"])
def test_pages_before_the_door_can_be_read_and_heard(desk: Desk, address: str) -> None:
    assert_read_and_heard(desk, address)


@pytest.mark.parametrize(
    "address",
    ["/accounts/2fa/", "/accounts/2fa/totp/activate/", "/accounts/sessions/", "/accounts/password/change/"],
)
def test_pages_of_ones_own_account_can_be_read_and_heard(desk: Desk, address: str) -> None:
    desk.enter(make_staff("admin"))
    assert_read_and_heard(desk, address)


def test_account_pages_wear_the_theme_that_was_chosen_in_the_back_office(desk: Desk) -> None:
    page = desk.enter(make_staff("admin")).go("/backoffice/")
    for wanted in ("light", "dark"):
        page.click("[data-theme-next]")
        page.wait_for_selector(f"html[data-theme={wanted}]")
    desk.go("/accounts/sessions/")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    assert look(desk)["faint"] == []


def test_one_long_name_pushes_no_column_off_the_page(desk: Desk) -> None:
    tenant = make_tenant("growth", company_name="Gesellschaft " * 12)
    make_facts(tenant)
    person = make_member(tenant, "owner", name="Hubert Wolfeschlegelsteinhausenbergerdorff " * 3)
    page = desk.enter(make_staff("super_admin")).go("/backoffice/users/")
    for address in ("/backoffice/users/", "/backoffice/tenants/"):
        desk.go(address)
        table = page.locator(".sw-table-box").evaluate("box => [box.scrollWidth, box.clientWidth]")
        assert table[0] <= table[1], address
    desk.go("/backoffice/users/")
    cell = page.locator("td", has_text=person.name.strip())
    cell.hover()
    assert cell.get_attribute("title") == person.name.strip()


def test_page_without_scripts_still_filters_and_opens_dialogs(desk: Desk) -> None:
    make_world()
    desk.enter(make_staff("admin"))
    browser = desk.context.browser
    assert browser is not None
    plain = browser.new_context(java_script_enabled=False, storage_state=desk.context.storage_state())
    page = plain.new_page()
    page.goto(f"{desk.base}/backoffice/users/")
    page.fill("input[name=q]", "zephyrine.live")
    page.click("text=Apply")
    page.click("tbody a")
    page.click("text=Suspend")
    page.fill("textarea", "Phished, ticket 4711")
    page.click("button:has-text('Suspend the user')")
    assert "The user was suspended" in page.content()
    plain.close()
