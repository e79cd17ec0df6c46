"""The reference of the automation surface and the pages at /docs/, as people see them."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from apps.surfaces.kit.surface import surfaces
from tests.browser.conftest import Desk
from tests.factories import make_tenant
from tests.surfaces.machines import admin_key

LOOK = (Path(__file__).parent / "look.js").read_text()

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def unlock(desk: Desk) -> None:
    desk.go("/admin/docs")
    desk.page.get_by_label("Admin key").fill(admin_key())
    desk.page.get_by_role("button", name="Open the reference").click()
    expect(desk.page.locator("#reference")).to_be_visible()


def test_the_shell_holds_nothing_until_a_good_key_opens_it(desk: Desk) -> None:
    page = desk.go("/admin/docs")
    expect(page).to_have_title("Admin API Reference")
    assert "/admin/tenants" not in page.content()
    desk.keep("reference-gate-light")
    page.get_by_label("Admin key").fill("a-wrong-key-that-is-long-enough")
    page.get_by_role("button", name="Open the reference").click()
    expect(page.get_by_role("alert")).to_have_text("This key is not valid.")
    assert "/admin/tenants" not in page.content()
    page.emulate_media(color_scheme="dark")
    desk.keep("reference-gate-dark")
    unlock(desk)
    for line in (
        "/admin/tenants",
        "/admin/tenants/{tenant_id}",
        "/admin/platform-config",
        "/admin/docs/data",
    ):
        expect(page.locator("article .path", has_text=line).first).to_be_visible()


def test_the_key_is_in_the_memory_of_the_tab_alone(desk: Desk) -> None:
    unlock(desk)
    kept = desk.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert admin_key() not in kept
    assert admin_key() not in desk.page.content()
    assert desk.page.get_by_label("Admin key").input_value() == ""
    desk.page.reload()
    expect(desk.page.locator("#gate")).to_be_visible()
    expect(desk.page.locator("#reference")).to_be_hidden()
    unlock(desk)
    desk.page.get_by_role("button", name="Forget the key").click()
    expect(desk.page.locator("#gate")).to_be_visible()
    assert "/admin/tenants" not in desk.page.content()


def test_a_route_is_tried_out_with_its_parameters_and_body(desk: Desk) -> None:
    tenant = make_tenant(company_name="Quillon & Marsh")
    unlock(desk)
    page = desk.page
    one = page.locator("#get-admin-tenants-tenant-id-")
    one.get_by_label("tenant_id").fill(tenant.public_id)
    one.get_by_role("button", name="Send").click()
    expect(one.locator("output")).to_contain_text("Quillon & Marsh")
    expect(one.locator("output .status")).to_have_text("200")
    change = page.locator("#post-admin-platform-config")
    change.get_by_label("body", exact=True).fill('{"governance_parallel_limit": 99}')
    change.get_by_role("button", name="Send").click()
    expect(change.locator("output .status")).to_have_text("400")
    change.get_by_label("body", exact=True).fill('{"governance_parallel_limit": 9}')
    change.get_by_role("button", name="Send").click()
    expect(change.locator("output")).to_contain_text('"governance_parallel_limit": 9')


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 700])
def test_the_reference_fits_its_window(desk: Desk, theme: str, width: int) -> None:
    desk.page.set_viewport_size({"width": width, "height": 900})
    desk.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    unlock(desk)
    desk.keep(f"reference-{theme}-{width}")
    desk.page.locator("#get-admin-tenants-tenant-id-").scroll_into_view_if_needed()
    desk.keep(f"reference-{theme}-{width}-further")
    found = desk.page.evaluate(LOOK)
    assert (found["overflow"], found["faint"], found["nameless"], found["twice"]) == (0, [], [], [])


def test_every_public_surface_can_be_read_and_tried_out(desk: Desk) -> None:
    page = desk.go("/docs/")
    desk.keep("docs-index")
    titles = {surface.name: surface.title for surface in surfaces() if surface.public}
    assert page.locator("main h2").all_text_contents() == list(titles)
    for name, title in titles.items():
        desk.go(f"/docs/{name}/")
        expect(page.locator(".swagger-ui .info .title").first).to_contain_text(title)
        expect(page.locator(".opblock").first).to_be_visible()
        desk.keep(f"docs-swagger-{name}")
        desk.go(f"/docs/{name}/redoc/")
        expect(page.locator("h1").first).to_contain_text(title)
        desk.keep(f"docs-redoc-{name}")
    # Redoc asks for its maker's mark from elsewhere; the page's policy lets nothing out.
    desk.complaints = [each for each in desk.complaints if "cdn.redoc.ly" not in each]
