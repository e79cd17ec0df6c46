"""What a page costs to fetch: HTML compressed, files hashed and kept, fonts cut; measured as a browser would."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import override_settings

from apps.backoffice.site import site
from tests.backoffice.visits import World, pages, visitor

HTML_BYTES = 20_000  # compressed; the longest list had 7,200 when this was written
FILES_BYTES = (
    220_000  # all that a first visit fetches beside the HTML, compressed; 184,000 when this was written
)
_GZIP = {"Accept-Encoding": "gzip"}
FONTS = Path(__file__).resolve().parent.parent.parent / "static" / "backoffice" / "fonts"


@pytest.fixture
def collected(tmp_path: Path) -> Iterator[Path]:
    """The files as the image has them."""
    storages = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    # Collecting all takes seconds: a page's own files are a few.
    wanted = ["unfold/css/*", "unfold/js/htmx/*", "unfold/fonts/*/*", "backoffice/*", "backoffice/fonts/*"]
    with override_settings(STATIC_ROOT=tmp_path, STORAGES=storages):
        ignored = [name for name in _folders() if not any(one.startswith(name) for one in wanted)]
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=ignored)
        yield tmp_path


def _folders() -> set[str]:
    """Top folders of static files, and those of django-unfold that no page of ours names."""
    found = {Path(path).parts for finder in finders.get_finders() for path, _ in finder.list([])}
    return {parts[0] for parts in found} | {"/".join(parts[:2]) for parts in found if len(parts) > 2}


def packed(folder: Path, name: str) -> int:
    """Bytes on the wire: the compressed file where there is one."""
    small = folder / f"{name}.gz"
    return (small if small.exists() else folder / name).stat().st_size


def fetched(folder: Path, html: str) -> dict[str, int]:
    """Files that the page names, and the fonts that its style sheets name (those of the first choice)."""
    named = re.findall(r'(?:href|src)="/static/([^"]+)"', html)
    found = {name: packed(folder, name) for name in named}
    for name in named:
        if name.startswith("backoffice/steward") and name.endswith(".css"):
            for font in re.findall(r'url\("?(fonts/[^")]+)"?\)', (folder / name).read_text()):
                found[f"backoffice/{font}"] = packed(folder, f"backoffice/{font}")
    return found


@pytest.mark.django_db
def test_first_visit_fetches_little_and_a_second_nothing_but_html(collected: Path) -> None:
    html = visitor("super_admin").get("/backoffice/").content.decode()
    files = fetched(collected, html)
    assert len([name for name in files if name.endswith(".woff2")]) == 4
    assert sum(files.values()) < FILES_BYTES, files
    # A name that holds a hash of its content: whitenoise and nginx let browsers keep it for ever.
    assert all(re.search(r"\.[0-9a-f]{12}\.\w+$", name) for name in files), files


@pytest.mark.django_db
def test_html_of_every_page_is_compressed_and_small(world: World) -> None:
    client = visitor("super_admin")
    heavy = {}
    for page in pages(world.live):
        answer = client.get(page.url, headers=_GZIP)
        if len(answer.content) > 200 and not page.name.endswith(": suggestions"):
            assert answer.headers["Content-Encoding"] == "gzip", page.name
            assert "Accept-Encoding" in answer.headers["Vary"], page.name
        heavy[page.name] = len(answer.content)
    assert max(heavy.values()) < HTML_BYTES, heavy


@pytest.mark.django_db
def test_compressed_page_hides_its_length_and_its_token() -> None:
    client = visitor("super_admin")
    answers = [client.get("/backoffice/", headers=_GZIP) for _ in range(4)]
    tokens = {re.search(r'csrfmiddlewaretoken" value="([^"]+)"', text(answer))[1] for answer in answers}  # type: ignore[index]  # it stands in each
    assert len(tokens) == len(answers)
    assert "Content-Encoding" not in client.get("/backoffice/").headers


def text(answer: Any) -> str:
    return gzip.decompress(answer.content).decode()


@pytest.mark.django_db
def test_every_symbol_of_a_page_is_in_the_font(world: World) -> None:
    known = set((FONTS / "icons.txt").read_text().split())
    client = visitor("super_admin")
    used = {section.icon for section in site.sections} | {"dark_mode", "light_mode"}
    for address in ["/backoffice/", "/backoffice/search/", *(page.url for page in pages(world.live))]:
        html = client.get(address).content.decode()
        used |= set(re.findall(r'class="material-symbols-outlined"[^>]*>([a-z0-9_]+)<', html))
    assert used <= known, f"add to {FONTS / 'icons.txt'} and run scripts/fonts.py: {sorted(used - known)}"
