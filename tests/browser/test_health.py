"""The page of health reads itself anew: focus and place stay, a failure is said, and it can be halted."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from apps.core.clock import now
from apps.monitoring.models import HealthSource
from tests.browser.axe import defects
from tests.browser.conftest import Desk
from tests.factories import make_staff

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

_PART = re.compile(r"/backoffice/health/$")
_LATER = 11_000  # milliseconds of the page's own clock


def make_sources() -> HealthSource:
    for number in range(12):
        HealthSource.objects.create(
            service_id=f"service-{number:02}",
            url="http://127.0.0.1:9/",
            status="healthy",
            last_checked_at=now(),
        )
    HealthSource.objects.filter(service_id="service-03").update(last_checked_at=now() - timedelta(minutes=30))
    return HealthSource.objects.get(service_id="service-11")


def opened(desk: Desk) -> Page:
    page = desk.enter(make_staff("super_admin")).page
    page.clock.install()
    page.set_viewport_size({"width": 900, "height": 500})
    return desk.go("/backoffice/health/")


def test_what_changed_is_shown_while_focus_and_place_stay(desk: Desk) -> None:
    source = make_sources()
    page = opened(desk)
    link = page.get_by_role("link", name="service-10")
    link.focus()
    place = page.evaluate("scrollY")
    assert place > 0
    HealthSource.objects.filter(id=source.id).update(status="unhealthy", failures=3)
    page.clock.run_for(_LATER)
    expect(page.locator(".sw-verdict")).to_contain_text("service-11 is down")
    expect(link).to_be_focused()
    assert page.evaluate("scrollY") == place
    page.set_viewport_size({"width": 1440, "height": 900})
    desk.keep("health-anew")
    assert defects(page) == []


def test_answer_that_fails_is_said_and_what_was_read_stays(desk: Desk) -> None:
    make_sources()
    page = opened(desk)

    def refuse(route: Route) -> None:
        if route.request.headers.get("hx-request"):
            assert route.request.headers["x-steward-unattended"] == "true"
            route.fulfill(status=429, body="<p>too many</p>")
        else:
            route.continue_()

    page.route(_PART, refuse)
    said = page.get_by_text("It can't be read anew.")
    expect(said).to_be_hidden()
    page.clock.run_for(_LATER)
    expect(said).to_be_visible()
    expect(page.locator(".sw-card")).to_have_count(12)
    page.unroute(_PART)
    page.clock.run_for(_LATER)
    expect(said).to_be_hidden()


def test_page_of_a_source_shows_what_changed_in_its_heading_too(desk: Desk) -> None:
    source = make_sources()
    opened(desk)
    page = desk.go(f"/backoffice/health/{source.id}/")
    head = page.locator("#object-head")
    expect(head).to_contain_text("healthy")
    HealthSource.objects.filter(id=source.id).update(status="unhealthy", message="It answers 500.")
    page.clock.run_for(_LATER)
    expect(head).to_contain_text("down")
    expect(page.locator("#object")).to_contain_text("It answers 500.")
    expect(head.get_by_role("heading")).to_have_count(1)
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert defects(page) == []


def test_refreshing_is_halted_by_its_button_and_under_a_dialog(desk: Desk) -> None:
    make_sources()
    page = opened(desk)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if _PART.search(request.url) else None)
    page.get_by_role("button", name="Halt refreshing").press("Space")
    page.clock.run_for(3 * _LATER)
    assert asked == []
    page.get_by_role("button", name="Refresh again").press("Enter")
    expect(page.get_by_role("button", name="Halt refreshing")).to_be_focused()
    assert len(asked) == 1
    page.get_by_role("link", name="Add a source of health").click()
    expect(page.locator("#modal")).to_be_visible()
    page.clock.run_for(3 * _LATER)
    assert len(asked) == 1
