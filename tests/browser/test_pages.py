"""Every page as people see it: at two widths, in both themes; nothing overflows, all can be read, all has a name."""

from pathlib import Path
from typing import Any

import pytest

from tests.backoffice.visits import make_world, pages
from tests.browser.conftest import Desk
from tests.factories import make_staff

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400), pytest.mark.django_db(transaction=True)]

# What is too wide is so in both themes: the dark one is looked at in one width.
WIDTHS = {"light": (1440, 900), "dark": (1440,)}

LOOK = (Path(__file__).parent / "look.js").read_text()


def look(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = desk.page.evaluate(LOOK)
    return found


@pytest.mark.parametrize("theme", WIDTHS)
def test_every_page_can_be_read_in_both_widths(desk: Desk, theme: str) -> None:
    world = make_world()
    desk.enter(make_staff("super_admin"))
    desk.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]  # a literal of Playwright's
    visited = {"home": "/backoffice/", "nothing": "/backoffice/nothing/"}
    visited |= {page.name: page.url for page in pages(world.live)}
    for name, address in visited.items():
        if name.endswith(": suggestions"):
            continue
        desk.go(address)
        for width in WIDTHS[theme]:
            desk.page.set_viewport_size({"width": width, "height": 900})
            desk.keep(f"{name.replace(': ', '-').replace(' ', '-')}-{width}-{theme}")
            found = look(desk)
            assert found["overflow"] <= 0, (name, width)
            assert found["faint"] == [], (name, width, theme)
            assert found["nameless"] == [], (name, width)
            assert found["twice"] == [], name
            assert found["headings"] <= 1, name


@pytest.mark.parametrize("role", ["support", "finance", "ops", "qa"])
def test_home_of_each_role_can_be_read(desk: Desk, role: str) -> None:
    make_world()
    desk.enter(make_staff(role)).go("/backoffice/")
    desk.keep(f"home-{role}")
    assert look(desk)["overflow"] <= 0


def test_refused_page_names_the_roles(desk: Desk) -> None:
    desk.enter(make_staff("support")).go("/backoffice/audit/")
    desk.keep("refused")
    found = look(desk)
    assert (found["overflow"], found["faint"], found["nameless"], found["headings"]) == (0, [], [], 1)


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
