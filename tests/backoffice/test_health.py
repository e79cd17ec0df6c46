"""The page of health: what it tells, how it reads itself anew, and what operators do there."""

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.test import Client

from apps.audit.models import AuditDetail, AuditEntry
from apps.core.clock import now
from apps.core.models import Job
from apps.core.principal import system
from apps.monitoring import services
from apps.monitoring.gateways.probe import Found
from apps.monitoring.models import HealthSample, HealthSource
from tests.backoffice.visits import visitor

pytestmark = pytest.mark.django_db

BOARD = "/backoffice/health/"
PART = {"HX-Request": "true"}
GIVEN = {
    "url": "http://127.0.0.1:9/health",
    "intervalSeconds": "20",
    "timeoutSeconds": "4",
    "critical": "on",
    "reason": "ticket 4711",
}


def make_source(service_id: str, status: str = "healthy", **fields: Any) -> HealthSource:
    given = {"url": "http://127.0.0.1:9/health", "last_checked_at": now(), "latency_ms": 12, **fields}
    return HealthSource.objects.create(service_id=service_id, status=status, version=1, **given)


def board(client: Client | None = None, query: str = "", **headers: str) -> str:
    answer = (client or visitor("ops")).get(BOARD + query, headers=headers)
    assert answer.status_code == 200
    return str(answer.content.decode())


def card(page: str, service_id: str) -> str:
    """The text of one card, without its tags."""
    found = next(each for each in page.split('<li class="sw-block sw-card')[1:] if f">{service_id}<" in each)
    return " ".join(re.sub(r"<svg.*?</svg>|<[^>]+>", " ", found.split("</li>")[0], flags=re.DOTALL).split())


def test_each_status_is_told_by_a_word_the_worst_first() -> None:
    make_source("a-well")
    make_source("b-slow", "degraded", failures=2, message="it answers 503.")
    make_source("c-down", "unhealthy", failures=7, critical=True, message="It answers 500.")
    page = board()
    assert re.findall(r'id="source-[^"]+" href="[^"]+">([^<]+)<', page) == ["c-down", "b-slow", "a-well"]
    assert "critical down It answers 500." in card(page, "c-down")
    assert "Failures in a row 7" in card(page, "c-down")
    assert "degraded It answers 503." in card(page, "b-slow")
    assert "healthy" in card(page, "a-well")
    assert ">Unhealthy</h2>" in page
    assert "c-down is critical and down." in page


def test_stale_is_told_from_down() -> None:
    make_source("quiet", last_checked_at=now() - timedelta(minutes=10))
    make_source("alive")
    make_source("new", "unknown", last_checked_at=None)
    page = board()
    assert "Stale, not down: not polled lately, and healthy when it last was." in card(page, "quiet")
    assert "10 min ago" in card(page, "quiet")
    assert "Not polled yet" in card(page, "new")
    assert "Nobody polls" not in page
    assert ">Healthy</h2>" in page
    assert "Nothing is known of 2 that are not critical." in page
    HealthSource.objects.update(last_checked_at=now() - timedelta(minutes=10))
    assert "Nobody polls" in board()


def test_part_that_is_read_anew_is_the_board_alone_and_tells_what_changed() -> None:
    source = make_source("billing")
    client = visitor("super_admin")
    whole = board(client)
    assert 'data-refresh="10"' in whole
    assert f'hx-get="{BOARD}"' in whole
    part = board(client, **PART)
    assert "<html" not in part
    assert "data-refresh" not in part
    HealthSource.objects.filter(id=source.id).update(status="unhealthy", critical=True)
    assert ">Unhealthy</h2>" in board(client, **PART)
    # The script of the kit keeps the focus by ids.
    assert f'id="source-{source.id}"' in part


def test_page_that_reads_itself_anew_does_not_keep_its_session_alive() -> None:
    client = visitor("ops")
    board(client)
    UserSession.objects.update(last_seen_at=now() - timedelta(minutes=5))
    board(client, **PART, **{"X-Steward-Unattended": "true"})
    assert UserSession.objects.get().last_seen_at < now() - timedelta(minutes=4)
    UserSession.objects.update(last_seen_at=now() - timedelta(minutes=31))
    ended = client.get(BOARD, headers={**PART, "X-Steward-Unattended": "true"})
    assert ended.status_code == 204
    assert "/login/" in ended["HX-Redirect"]


def test_bars_look_back_as_far_as_is_chosen_and_kept() -> None:
    source = make_source("billing")
    HealthSample.objects.create(source=source, at=now() - timedelta(days=3), is_good=False)
    HealthSample.objects.create(source=source, at=now(), is_good=True)
    cache.clear()
    client = visitor("ops")
    assert "Last 24 hours: 100 % of 1 answer good." in board(client)
    assert "Last 7 days: 50.00 % of 2 answers good. Failures in 1 day" in board(client, "?span=7d")
    # Of days, those of a minute ago; another source is seen at once all the same.
    HealthSample.objects.create(source=source, at=now(), is_good=True)
    assert "of 2 answers" in board(client, "?span=7d")
    make_source("search")
    assert "of 3 answers" in board(client, "?span=7d")
    assert "Last 30 days" not in board(client, "?span=30d")


def test_board_asks_a_constant_number_of_queries(django_assert_max_num_queries: Any) -> None:
    for number in range(20):
        make_source(f"service-{number}")
    client = visitor("ops")
    board(client)
    with django_assert_max_num_queries(9):
        board(client)


def test_nothing_watched_and_nothing_found_say_what_to_do() -> None:
    client = visitor("super_admin")
    assert "Nothing is watched yet." in board(client)
    make_source("billing")
    assert "No source is named like “zebra”." in board(client, "?q=zebra")
    assert "billing" in board(client, "?q=BILL")


def test_secret_in_an_address_is_shown_to_who_may_change_it_alone() -> None:
    operator = visitor("super_admin")
    url = "http://127.0.0.1:9/health?token=abcdefghijklmnop"
    assert say(operator, "register", serviceId="billing", **{**GIVEN, "url": url}).status_code == 204
    source = HealthSource.objects.get()
    assert source.url == url
    for address in (f"{source.id}/", f"{source.id}/?tab=timeline", ""):
        for client in (visitor("ops"), operator):
            assert b"abcdefghijklmnop" not in client.get(f"{BOARD}{address}").content
    assert b"abcdefghijklmnop" in operator.get(f"{BOARD}{source.id}/edit/").content


def test_page_of_a_source_has_its_changes_latency_and_settings() -> None:
    source = make_source("billing", "unknown", last_checked_at=None)
    found = Found(is_good=False, latency_ms=41, message="It answers 503.")
    for _ in range(3):
        services.record(actor=system("tests"), source_id=source.id, url=source.url, found=found)
    page = visitor("ops").get(f"{BOARD}{source.id}/").content.decode()
    assert "Usually 41 ms, at most 41 ms." in page
    assert "down at 3" in page
    changes = page.split("Changes of status")[-1]
    assert re.findall(r"sw-badge[^>]*>(down|degraded|healthy)<", changes) == ["down", "degraded"]
    assert changes.count("It answers 503.") == 2
    history = visitor("ops").get(f"{BOARD}{source.id}/?tab=timeline").content.decode()
    assert history.count("health_source.status") >= 2


def test_page_of_a_source_reads_its_overview_and_its_heading_anew() -> None:
    source = make_source("billing")
    client, address = visitor("ops"), f"{BOARD}{source.id}/"
    whole = client.get(address).content.decode()
    assert 'data-refresh="10"' in whole
    assert f'hx-get="{address}"' in whole
    assert ">healthy<" in whole.split('id="object-head"')[1].split("</div>")[0]
    HealthSource.objects.update(status="unhealthy", failures=3, message="It answers 500.")
    part = client.get(address, headers={**PART, "X-Steward-Unattended": "true"}).content.decode()
    assert "<html" not in part
    assert "data-refresh" not in part
    assert 'hx-swap-oob="true"' in part
    assert ">down<" in part.split('id="object-head"')[1].split("</div>")[0]
    assert "It answers 500." in part
    # Its history is read page by page: it stays as it is.
    history = client.get(f"{address}?tab=timeline", headers=PART).content.decode()
    assert "<html" in history
    assert "data-refresh" not in history


def say(client: Client, address: str, **data: str) -> Any:
    return client.post(f"{BOARD}{address}/", data, headers=PART)


def test_source_is_added_as_the_internal_route_would() -> None:
    answer = say(visitor("super_admin"), "register", serviceId="billing", **GIVEN)
    source = HealthSource.objects.get()
    assert (answer.status_code, answer["HX-Redirect"]) == (204, f"{BOARD}{source.id}/")
    assert (source.interval_seconds, source.timeout_seconds, source.critical) == (20, 4, True)
    entry = AuditEntry.objects.get(action="health_source.register")
    assert (entry.resource_id, entry.via) == ("billing", "backoffice")
    assert "ticket 4711" in AuditDetail.objects.get(entry=entry, part="subject").body


REFUSED = [
    ("url", "http://169.254.169.254/latest/meta-data/"),
    ("url", "http://[fd00:ec2::254]/latest/"),
    ("url", "http://2852039166/"),
    ("url", "file:///etc/passwd"),
    ("url", "http://user:password@127.0.0.1/health"),
    ("url", ""),
    ("serviceId", "no spaces"),
    ("serviceId", "known"),
    ("intervalSeconds", "9"),
    ("intervalSeconds", "3601"),
    ("timeoutSeconds", "0"),
    ("timeoutSeconds", "25"),
    ("reason", ""),
]


@pytest.mark.parametrize(("field", "value"), REFUSED)
def test_what_can_t_be_registered_is_said_at_its_field(field: str, value: str) -> None:
    make_source("known")
    answer = say(visitor("super_admin"), "register", **{"serviceId": "billing", **GIVEN, field: value})
    assert answer.status_code == 400
    bad = re.findall(r'sw-bad.*?name="([^"]+)"', answer.content.decode(), flags=re.DOTALL)
    assert bad == [field]
    assert not HealthSource.objects.filter(service_id="billing").exists()
    assert not AuditEntry.objects.filter(action="health_source.register", outcome="success").exists()


def test_source_is_changed_and_begins_anew_at_another_address() -> None:
    source = make_source("billing", critical=True)
    client = visitor("super_admin")
    given = {key: value for key, value in GIVEN.items() if key != "critical"}
    assert say(client, f"{source.id}/edit", **given).status_code == 204
    source.refresh_from_db()
    assert (source.status, source.interval_seconds, source.critical) == ("healthy", 20, False)
    say(client, f"{source.id}/edit", **{**given, "url": "http://127.0.0.1:9/other"})
    source.refresh_from_db()
    assert (source.status, source.last_checked_at) == ("unknown", None)
    refused = say(client, f"{source.id}/edit", **{**given, "url": "http://169.254.169.254/"})
    assert refused.status_code == 400
    source.refresh_from_db()
    assert source.url == "http://127.0.0.1:9/other"


def test_source_is_asked_at_once_by_a_worker() -> None:
    source = make_source("billing", due_at=now() + timedelta(minutes=9))
    assert say(visitor("super_admin"), f"{source.id}/check").status_code == 204
    source.refresh_from_db()
    assert source.due_at <= now()
    assert Job.objects.get(name=services.POLL_JOB).actor["via"] == "backoffice"
    assert AuditEntry.objects.filter(action="health_source.ask", resource_id="billing").count() == 1


def test_source_is_removed_with_a_reason() -> None:
    source = make_source("billing")
    client = visitor("super_admin")
    assert say(client, f"{source.id}/remove", reason="").status_code == 400
    answer = say(client, f"{source.id}/remove", reason="ticket 4711")
    assert (answer.status_code, answer["HX-Redirect"]) == (204, BOARD)
    assert not HealthSource.objects.exists()
    assert client.get(f"{BOARD}{source.id}/").status_code == 404


def test_ops_reads_and_changes_nothing() -> None:
    source = make_source("billing")
    client = visitor("ops")
    page = client.get(f"{BOARD}{source.id}/").content.decode()
    assert "data-dialog>" not in page
    assert "data-dialog>" not in board(client)
    for address in ("register", f"{source.id}/edit", f"{source.id}/check", f"{source.id}/remove"):
        assert say(client, address, serviceId="x", **GIVEN).status_code == 403
    assert list(HealthSource.objects.values_list("service_id", "url")) == [("billing", source.url)]


def test_home_tells_what_is_not_well_to_who_may_see_it() -> None:
    make_source("well")
    assert "Services not well" not in home("ops").split("Looked at, and nothing there")[0]
    down = make_source("ledger", "unhealthy", critical=True)
    make_source("quiet", last_checked_at=now() - timedelta(minutes=10))
    for role in ("super_admin", "ops"):
        needed = home(role).split("Services not well")[1].split("</section>")[0]
        assert f"{BOARD}{down.id}/" in needed
        assert "down, critical" in needed
        assert "not polled" in needed
        assert ">well<" not in needed
    assert "Services not well" not in home("admin")


def home(role: str) -> str:
    return str(visitor(role).get("/backoffice/").content.decode())


def test_palette_finds_sources_and_the_action() -> None:
    source = make_source("ledger")
    found = visitor("super_admin").get("/backoffice/search/?q=ledg").content.decode()
    assert f"{BOARD}{source.id}/" in found
    assert (
        f"{BOARD}register/" in visitor("super_admin").get("/backoffice/search/?q=add+a+so").content.decode()
    )
    assert f"{BOARD}register/" not in visitor("ops").get("/backoffice/search/?q=add+a+so").content.decode()
