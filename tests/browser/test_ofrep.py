"""A script of another origin, as OpenFeature's web provider is one, asks for all flags and again with their ETag."""

import pytest
from playwright.sync_api import Browser
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer
from pytest_httpserver import HTTPServer

from apps.core.principal import system
from apps.identity.services.tokens import issue_token
from tests.factories import make_flag, make_tenant

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

_ASK = """async ([address, token]) => {
  const headers = { 'Content-Type': 'application/json; charset=utf-8', Authorization: `Bearer ${token}` };
  const ask = (more) => fetch(address, { method: 'POST', body: '{}', headers: { ...headers, ...more } });
  const first = await ask({});
  const second = await ask({ 'If-None-Match': first.headers.get('ETag') });
  return [first.status, (await first.json()).flags.map((each) => each.key), second.status];
}"""


def test_a_listed_origin_is_answered_304_for_the_etag_that_it_has(
    browser: Browser, live_server: LiveServer, httpserver: HTTPServer, settings: Settings
) -> None:
    httpserver.expect_request("/").respond_with_data("<title>elsewhere</title>", content_type="text/html")
    settings.CORS_ALLOWED_ORIGINS = [httpserver.url_for("").rstrip("/")]
    make_flag("checkout")
    token = issue_token(actor=system("tests"), subject="web", tenant=make_tenant()).text
    page = browser.new_page()
    try:
        page.goto(httpserver.url_for("/"))
        found = page.evaluate(_ASK, [f"{live_server.url}/ofrep/v1/evaluate/flags", token])
    finally:
        page.close()
    assert found == [200, ["checkout"], 304]
