"""Headless Chromium against a live server. Pictures are kept as artefacts of the run."""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from apps.users.models import User
from tests.users.support import sign_in

ROOT = Path(__file__).resolve().parent.parent.parent
ARTEFACTS = Path(os.environ.get("STEWARD_ARTEFACTS", ROOT / ".steward" / "artefacts"))
_FLAGS = ["--headless", "--no-sandbox", "--disable-background-networking", "--disable-component-update"]
# Milliseconds, on a machine with other work to do.
_PATIENCE = 60_000
# What a refused dialog or page answers is said in the page; the browser notes it on its console too. htmx notes there
# that the answer to what was typed before was dropped, as it was told to.
_EXPECTED = re.compile(
    r"Failed to load resource: the server responded with a status of 4\d\d|^htmx:(sendAbort|afterRequest)$"
)


def chromium() -> str | None:
    """The browser of `make test`, else the first in PATH."""
    found = os.environ.get("STEWARD_CHROMIUM")
    return found or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for the session. Playwright keeps a loop in this thread: Django is told that this is no danger."""
    path = chromium()
    if path is None:
        pytest.fail("no Chromium: `make test` installs one")
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with sync_playwright() as playwright:
            expect.set_options(timeout=_PATIENCE)
            opened = playwright.chromium.launch(executable_path=path, args=_FLAGS)
            yield opened
            opened.close()
    finally:
        if before is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
        else:
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@dataclass
class Desk:
    """A browser window at the live server; whatever its console complains of fails the test."""

    context: BrowserContext
    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)

    def go(self, address: str) -> Page:
        self.page.goto(self.base + address)
        self.page.evaluate("document.fonts.ready")
        return self.page

    def keep(self, name: str) -> None:
        """A picture among the artefacts."""
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"{name}.png")

    def enter(self, user: User) -> "Desk":
        """Signs in past the sign-in page (which has a test of its own)."""
        client = Client()
        sign_in(client, user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": self.base}])
        return self

    def note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not _EXPECTED.search(message.text):
            self.complaints.append(f"{self.page.url}: {message.text}")


@pytest.fixture
def desk(browser: Browser, live_server: LiveServer) -> Iterator[Desk]:
    """A window of 1440 × 900 in the light theme; `page.set_viewport_size` and `emulate_media` change it."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, color_scheme="light", reduced_motion="reduce"
    )
    page = context.new_page()
    page.set_default_timeout(_PATIENCE)
    opened = Desk(context, page, live_server.url)
    page.on("console", opened.note)
    page.on("pageerror", lambda error: opened.complaints.append(f"{page.url}: {error}"))
    yield opened
    context.close()
    assert not opened.complaints
