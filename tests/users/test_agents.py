"""What a session's browser is called on the page of one's sessions."""

import pytest
from django.test import Client

from apps.users.auth.agents import called
from tests.backoffice.visits import visitor

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/149.0 Safari/537.36"


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (CHROME, "Chrome on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/149.0 Safari/537.36 Edg/149.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 15_1) Version/18.1 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Android 15; Mobile; rv:145.0) Firefox/145.0", "Firefox on Android"),
        ("acme-monitor/2", "acme-monitor/2"),
        ("", "unknown browser"),
    ],
)
def test_browser_is_called_by_its_name_and_system(agent: str, said: str) -> None:
    assert called(agent) == said


@pytest.mark.django_db
def test_list_of_sessions_says_which_browser() -> None:
    client: Client = visitor("support")
    client.get("/backoffice/", headers={"User-Agent": CHROME})
    assert (
        "Chrome on Linux"
        in client.get("/accounts/sessions/", headers={"User-Agent": CHROME}).content.decode()
    )
