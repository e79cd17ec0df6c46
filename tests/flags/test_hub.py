"""apps.flags.hub: who listens hears every change once and in order; who comes back hears what was missed."""

import json
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from apps.core.principal import system
from apps.flags.engine import Flag, FlagType, Override, Segment, Snapshot, TenantAttributes, Variation
from apps.flags.engine.model import Condition, Operator, Prerequisite, Rule
from apps.flags.hub import HEARTBEAT, KEPT, Hub, StreamsTaken
from apps.flags.services import create_flag, update_flag
from apps.flags.snapshot import holder
from tests.deploy import servers

TENANT = "tnt_01JD8Z3K5Q6R7S8T9V0W1X2Y3Z"


def flag(key: str, **more: Any) -> Flag:
    return Flag(key, FlagType.BOOLEAN, (Variation("on", True), Variation("off", False)), "off", **more)


def snapshot(revision: str, *flags: Flag, **more: Any) -> Snapshot:
    return Snapshot.build(revision=revision, flags=flags, **more)


@pytest.fixture
def hub() -> Iterator[Hub]:
    holder.pin(snapshot("1", flag("a")))
    yield Hub()
    holder.forget()


def events(chunk: bytes) -> list[tuple[str, str, Any]]:
    """(event, id, data) of what came over the wire."""
    found = []
    for block in chunk.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in fields:
            found.append((fields["event"], fields["id"], json.loads(fields["data"])))
    return found


def listen(hub: Hub, last: str | None = None, *, most: int = 10, seconds: float = 120) -> Iterator[bytes]:
    return hub.subscribe(last, most=most, seconds=seconds)


def test_the_first_event_names_the_revision(hub: Hub) -> None:
    assert events(next(listen(hub))) == [("ready", "1", {"revision": "1"})]


def test_a_stream_that_is_closed_before_it_was_read_gives_its_place_back(hub: Hub) -> None:
    stream = hub.subscribe(None, most=1, seconds=30)
    stream.close()  # type: ignore[attr-defined]  # a generator; WSGI servers close what they did not read
    assert events(next(listen(hub, most=1)))[0][0] == "ready"


def test_a_change_while_the_first_subscriber_comes_is_not_missed(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken() -> Snapshot:
        monkeypatch.undo()
        found = holder.current()
        holder.pin(snapshot("2", flag("a"), flag("b")))
        return found

    monkeypatch.setattr(holder, "current", overtaken)
    assert events(next(listen(hub))) == [("ready", "2", {"revision": "2"})]


def test_a_change_names_the_flags_that_may_answer_otherwise(hub: Hub) -> None:
    stream = listen(hub)
    next(stream)
    holder.pin(snapshot("2", flag("a", default_enabled=True), flag("b")))
    assert events(next(stream)) == [("change", "2", {"revision": "2", "keys": ["a", "b"], "tenants": False})]


def test_who_comes_back_hears_what_was_missed_and_nothing_twice(hub: Hub) -> None:
    stream = listen(hub)
    next(stream)
    holder.pin(snapshot("2", flag("a"), flag("b")))
    holder.pin(snapshot("3", flag("a")))
    assert [each[:2] for each in events(next(stream))] == [("change", "2"), ("change", "3")]
    missed = events(next(listen(hub, "2")))
    assert missed == [("change", "3", {"revision": "3", "keys": ["b"], "tenants": False})]
    assert events(next(listen(hub, "3"))) == []


@pytest.mark.parametrize("last", ["0", "nothing", "", "99"])
def test_who_comes_back_from_too_long_ago_begins_anew(hub: Hub, last: str) -> None:
    next(listen(hub))
    assert events(next(listen(hub, last))) == [("reset", "1", {"revision": "1"})]


def test_who_reads_slower_than_changes_come_is_told_to_begin_anew(hub: Hub) -> None:
    stream = listen(hub)
    next(stream)
    for number in range(KEPT + 5):
        holder.pin(snapshot(str(number + 2), flag("a", default_enabled=bool(number % 2))))
    assert [each[0] for each in events(next(stream))] == ["reset"]


def test_an_override_that_ends_is_a_change_without_a_write(hub: Hub) -> None:
    ends = time.time() + 1.5
    holder.pin(snapshot("2", flag("a"), overrides=[Override("a", TENANT, "on", ends)]))
    stream = listen(hub, "2")
    next(stream)
    found = events(next(stream))
    assert time.time() >= ends
    assert found == [("change", "2.1", {"revision": "2.1", "keys": ["a"], "tenants": False})]


def test_an_override_that_ended_while_nobody_listened_is_told_before_the_next_change(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = [1_000.0]
    clock = SimpleNamespace(time=lambda: here[0], monotonic=time.monotonic)
    monkeypatch.setattr("apps.flags.hub.time", clock)
    given = [Override("a", TENANT, "on", 1_010.0)]
    holder.pin(snapshot("2", flag("a"), overrides=given))
    stream = listen(hub)
    assert events(next(stream))[0][1] == "2"
    stream.close()  # type: ignore[attr-defined]  # a generator
    here[0] = 1_020.0
    holder.pin(snapshot("3", flag("a"), flag("b"), overrides=given))
    assert [(each[1], each[2]["keys"]) for each in events(next(listen(hub, "2")))] == [
        ("2.1", ["a"]),
        ("3.1", ["b"]),
    ]


def test_an_override_that_ends_changes_the_flags_that_need_its_flag() -> None:
    needing = flag("needing", prerequisites=(Prerequisite("a", "on"),))
    further = flag("further", prerequisites=(Prerequisite("needing", "off"),))
    found = snapshot("1", flag("a"), flag("b"), needing, further, overrides=[Override("a", TENANT, "on", 10)])
    assert found.ended(0, 10) == ("a", "further", "needing")
    assert found.ended(10, 20) == ()


def test_a_stream_ends_at_its_time_and_gives_its_place_back(hub: Hub) -> None:
    first = listen(hub, most=1, seconds=0.2)
    with pytest.raises(StreamsTaken):
        listen(hub, most=1)
    assert list(first)[1:] in ([], [HEARTBEAT])
    listen(hub, most=1).close()  # type: ignore[attr-defined]  # a generator


def test_hundreds_of_changes_reach_every_listener_in_order(hub: Hub) -> None:
    heard: list[list[str]] = [[] for _ in range(5)]
    streams = [listen(hub) for _ in heard]
    for stream in streams:
        next(stream)

    def follow(place: int) -> None:
        for chunk in streams[place]:
            heard[place] += [each[1] for each in events(chunk)]
            if heard[place][-1:] == ["501"]:
                return

    threads = [threading.Thread(target=follow, args=(place,)) for place in range(len(heard))]
    for thread in threads:
        thread.start()
    for number in range(500):
        holder.pin(snapshot(str(number + 2), flag("a", default_enabled=bool(number % 2))))
    for thread in threads:
        thread.join(timeout=60)
    assert heard == [[str(number + 2) for number in range(500)]] * len(heard)


def test_what_changed_follows_segments_overrides_and_prerequisites() -> None:
    def condition(value: str) -> tuple[Condition, ...]:
        return (Condition("country", Operator.EQUALS, value),)

    using = flag("using", rules=(Rule((Condition(segment="s"),), variation="on"),))
    needing = flag("needing", prerequisites=(Prerequisite("using", "on"),))
    other = flag("other")
    before = snapshot("1", using, needing, other, segments=[Segment("s", condition("DE"))])
    same = snapshot("2", using, needing, other, segments=[Segment("s", condition("DE"))])
    assert same.changed_since(before) == ()
    moved = snapshot("2", using, needing, other, segments=[Segment("s", condition("FR"))])
    assert moved.changed_since(before) == ("needing", "using")
    overrides = [Override("other", TENANT, "on")]
    given = snapshot("2", using, needing, other, segments=before.segments.values(), overrides=overrides)
    assert given.changed_since(before) == ("other",)
    gone = snapshot("2", using, needing, segments=before.segments.values())
    assert gone.changed_since(before) == ("other",)
    known = snapshot("2", other, tenants=[TenantAttributes(TENANT, plan="pro")])
    assert known.tenants_differ(before)


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(120)
def test_a_served_stream_tells_of_a_commit_and_lets_nobody_in_above_its_places() -> None:
    actor = system("tests")
    create_flag(actor=actor, key="checkout", fields={})
    with servers.granian(threads=4, FLAG_STREAMS="1", FLAG_STREAM_SECONDS="60") as port:
        address = f"http://127.0.0.1:{port}/internal/admin/flags/stream"
        with httpx.Client(timeout=30) as client, client.stream("GET", address) as stream:
            assert stream.headers["Content-Type"].startswith("text/event-stream")
            assert stream.headers["X-Accel-Buffering"] == "no"
            assert stream.headers["Cache-Control"] == "no-store"
            chunks = stream.iter_bytes()
            assert [each[0] for each in events(next(chunks))] == ["ready"]
            full = httpx.get(address, timeout=30)
            assert (full.status_code, full.headers["Retry-After"]) == (503, "5")
            assert full.json()["error"]["code"] == "ADM_UNAVAILABLE"
            update_flag(actor=actor, key="checkout", fields={"defaultEnabled": True})
            found: list[tuple[str, str, Any]] = []
            while not found:
                found = events(next(chunks))
            assert found[0][0] == "change"
            assert found[0][2]["keys"] == ["checkout"]
            revision = found[0][1]
        answer = httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=30)
        assert answer.status_code == 200
        assert revision == holder_revision()


def holder_revision() -> str:
    holder.forget()
    found = holder.current().revision
    holder.forget()
    return found
