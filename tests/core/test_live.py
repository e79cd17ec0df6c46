"""apps.core.live: a change is heard at once, and soon even where the announcement is lost."""

import queue
from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from apps.core import live
from apps.core.models import LiveTopic
from apps.core.principal import system
from apps.core.write import Target, write
from tests.core.processes import in_threads

pytestmark = pytest.mark.django_db(transaction=True)

TARGET = Target(type="thing", id="thg_1")


@pytest.fixture
def listening() -> Iterator[live.Listener]:
    listener = live.Listener()
    yield listener
    listener.stop()


def _changed(*topics: str) -> None:
    with write("thing.change", actor=system("test"), target=TARGET) as w:
        w.touch(*topics)


def _cut_connections() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE query LIKE '%%core_live_topic%%' AND pid <> pg_backend_pid() AND datname = current_database()"
        )
        assert cursor.rowcount >= 1


def _subscribed(listener: live.Listener, topic: str) -> "queue.Queue[int]":
    heard: queue.Queue[int] = queue.Queue()
    listener.subscribe(topic, heard.put)
    return heard


def test_a_subscriber_hears_the_present_revision_and_each_change_without_a_poll(
    listening: live.Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    _changed("a")
    heard = _subscribed(listening, "a")
    assert heard.get(timeout=60) == 1
    monkeypatch.setattr(listening, "_poll", lambda _link: None)
    for expected in (2, 3):
        _changed("a")
        assert heard.get(timeout=60) == expected


def test_a_topic_that_was_never_raised_has_the_revision_0(listening: live.Listener) -> None:
    assert live.revision("new") == 0
    heard = _subscribed(listening, "new")
    assert heard.get(timeout=60) == 0
    _changed("new")
    assert heard.get(timeout=60) == 1


def test_other_topics_are_not_heard(listening: live.Listener) -> None:
    heard = _subscribed(listening, "a")
    assert heard.get(timeout=60) == 0
    _changed("b")
    with pytest.raises(queue.Empty):
        heard.get(timeout=0.5)


def test_a_lost_announcement_is_made_good_by_the_poll(listening: live.Listener) -> None:
    _changed("a")
    heard = _subscribed(listening, "a")
    assert heard.get(timeout=60) == 1
    LiveTopic.objects.filter(name="a").update(revision=7)
    assert heard.get(timeout=60) == 7


def test_a_write_that_is_rolled_back_is_not_heard(listening: live.Listener) -> None:
    heard = _subscribed(listening, "a")
    assert heard.get(timeout=60) == 0
    with transaction.atomic():
        live.bump(["a"])
        transaction.set_rollback(True)
    with pytest.raises(queue.Empty):
        heard.get(timeout=0.5)
    assert live.revision("a") == 0


def test_a_cut_connection_is_opened_again_and_what_was_missed_is_heard(listening: live.Listener) -> None:
    heard = _subscribed(listening, "a")
    assert heard.get(timeout=60) == 0
    _cut_connections()
    _changed("a")
    assert heard.get(timeout=60) == 1


def test_a_lower_revision_of_a_restored_database_is_heard_and_what_follows_too(
    listening: live.Listener,
) -> None:
    for _ in range(3):
        _changed("a")
    heard = _subscribed(listening, "a")
    assert heard.get(timeout=60) == 3
    LiveTopic.objects.filter(name="a").update(revision=1)
    _cut_connections()
    assert heard.get(timeout=60) == 1
    _changed("a")
    assert heard.get(timeout=60) == 2


def test_a_callback_that_fails_is_called_again(listening: live.Listener) -> None:
    heard: queue.Queue[int] = queue.Queue()
    failures = iter([RuntimeError("no"), None])

    def callback(revision: int) -> None:
        failure = next(failures, None)
        if failure is not None:
            raise failure
        heard.put(revision)

    listening.subscribe("a", callback)
    assert heard.get(timeout=60) == 0


def test_an_announcement_that_can_not_be_read_stops_nobody(listening: live.Listener) -> None:
    heard = _subscribed(listening, "a")
    assert heard.get(timeout=60) == 0
    with connection.cursor() as cursor:
        for payload in ("", "a", "a x", "a -1", "a ٣"):
            cursor.execute("SELECT pg_notify('steward_live', %s)", [payload])
    _changed("a")
    assert heard.get(timeout=60) == 1


def test_revisions_only_grow_under_sixteen_writers() -> None:
    def raise_it(_: int) -> None:
        for _ in range(10):
            live.bump(["a"])

    in_threads(16, raise_it)
    assert live.revisions() == {"a": 160}
