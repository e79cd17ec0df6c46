"""Links of the pages: nobody is shown one that refuses them, or that leads nowhere."""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urljoin

import pytest
from django.test import Client

from apps.backoffice.site import site
from tests.backoffice.visits import ROLES, World, visitor

pytestmark = pytest.mark.django_db

# Of the world's services, not of a person: as an actor's who was erased since, it leads nowhere.
_GONE = "usr_00000000000000000000000000"
_HREF = re.compile(r'<a\b[^>]*?\bhref="([^"#]+)"')
_OURS = re.compile(r"^/(backoffice|accounts)/(?!logout/)")


def links(client: Client, address: str) -> Iterator[str]:
    """Where the links of a page lead, without those that only turn it: pages and orders of a list."""
    answer = client.get(address)
    assert answer.status_code == 200, address
    for found in _HREF.findall(answer.content.decode()):
        url = urljoin(address, unescape(found))
        if _OURS.match(url) and _GONE not in url and not re.search(r"[?&](sort|page)=", url):
            yield url


@pytest.mark.parametrize("role", ROLES)
def test_every_link_that_a_reader_is_shown_opens(world: World, role: str) -> None:
    client = visitor(role)
    objects = world.test if role == "qa" else world.live
    starts = {"/backoffice/", "/backoffice/search/?q=", "/backoffice/search/?q=zephyrine"}
    shown = {url for start in starts for url in links(client, start)}
    lists = shown & {section.list_url() for section in site.sections}
    assert lists
    shown |= {url for start in lists for url in links(client, start)}
    for section in site.sections:
        page = f"{section.list_url()}{objects.get(section.path)}/"
        if section.list_url() in lists and section.path in objects:
            shown |= set(links(client, page))
    refused = {url: client.get(url).status_code for url in sorted(shown)}
    assert {url: status for url, status in refused.items() if status not in {200, 302}} == {}
