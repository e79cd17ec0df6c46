"""apps.core.write: one transaction, one audit row, and nothing of what failed."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import IntegrityError, transaction
from pytest_django import Settings

from apps.audit.models import AuditDetail, AuditEntry
from apps.core import events, live
from apps.core.errors import Kind
from apps.core.jobs import queueing
from apps.core.models import Job, LiveTopic
from apps.core.observability.context import bound
from apps.core.principal import Principal, PrincipalKind
from apps.core.write import Target, current_unit, record_denied, unit, write
from apps.core.write.unit import AuditUnavailable
from tests import database
from tests.core import sample_jobs  # noqa: F401  registers the jobs that are asked for
from tests.core.processes import in_threads

pytestmark = pytest.mark.django_db(transaction=True)

ACTOR = Principal(
    kind=PrincipalKind.STAFF, id="usr_1", label="ann@acme.com", via="backoffice", address="203.0.113.7"
)
TARGET = Target(type="thing", id="thg_1")


def _row(name: str) -> None:
    LiveTopic.objects.create(name=name)


def _rows() -> list[str]:
    return list(LiveTopic.objects.order_by("name").values_list("name", flat=True))


def _subject() -> dict[str, Any]:
    detail = AuditDetail.objects.get(part="subject").body
    assert isinstance(detail, str)
    return dict(json.loads(detail))


def test_a_write_commits_the_change_and_one_audit_row() -> None:
    with (
        bound(request_id="req_1", correlation_id="cor_1"),
        write("thing.make", actor=ACTOR, target=TARGET, reason="why") as w,
    ):
        _row("a")
        w.changed(before={"x": 1}, after={"x": 2})
        w.changed(after={"y": 3})
        w.note(source="test")
    (entry,) = AuditEntry.objects.all()
    assert (entry.action, entry.outcome, entry.actor_id, entry.via) == (
        "thing.make",
        "success",
        "usr_1",
        "backoffice",
    )
    assert (entry.resource_type, entry.resource_id, entry.chain) == ("thing", "thg_1", "platform")
    assert (entry.request_id, entry.correlation_id, entry.metadata) == ("req_1", "cor_1", {"source": "test"})
    assert _subject() == {"reason": "why", "before": {"x": 1}, "after": {"x": 2, "y": 3}}
    assert _rows() == ["a"]


def test_an_inner_write_joins_the_outer_one() -> None:
    with write("outer", actor=ACTOR, target=TARGET) as outer:
        with write("inner", actor=ACTOR, target=Target(type="other", id="oth_1")) as inner:
            assert inner is outer
            inner.changed(after={"inner": True})
        outer.changed(after={"outer": True})
    (entry,) = AuditEntry.objects.all()
    assert (entry.action, entry.resource_id) == ("outer", "thg_1")
    assert _subject()["after"] == {"inner": True, "outer": True}


def test_a_failing_write_leaves_nothing() -> None:
    def fail() -> None:
        with write("thing.make", actor=ACTOR, target=TARGET) as w:
            _row("a")
            w.enqueue("test.effect", topic="t")
            w.touch("topic")
            raise IntegrityError

    with pytest.raises(IntegrityError):
        fail()
    assert (_rows(), Job.objects.count(), AuditEntry.objects.count()) == ([], 0, 0)
    assert current_unit() is None


def test_an_inner_failure_that_is_caught_takes_everything_of_the_inside_with_it() -> None:
    def inside() -> None:
        with write("inner", actor=ACTOR, target=TARGET) as w:
            _row("inner")
            w.enqueue("test.effect", topic="t")
            w.touch("inner-topic")
            w.changed(before={"a": 0}, after={"a": 1, "secret": "inner"})
            w.note(inner=True)
            w.on(Target(type="inner", id="inn_1"))
            raise IntegrityError

    with write("outer", actor=ACTOR, target=TARGET) as w:
        w.changed(after={"a": 2})
        w.touch("outer-topic")
        with pytest.raises(IntegrityError):
            inside()
        _row("outer")
    (entry,) = AuditEntry.objects.all()
    assert (entry.resource_id, entry.metadata) == ("thg_1", {})
    assert _subject() == {"reason": "", "before": {}, "after": {"a": 2}}
    assert _rows() == ["outer", "outer-topic"]
    assert not Job.objects.exists()


def test_several_writes_in_one_unit_are_several_rows_and_one_commit() -> None:
    with unit():
        for number in range(3):
            with write(f"step.{number}", actor=ACTOR, target=TARGET):
                _row(f"r{number}")
        assert AuditEntry.objects.count() == 0
    assert AuditEntry.objects.count() == 3


def test_a_unit_that_fails_after_its_write_takes_the_write_back() -> None:
    def fail() -> None:
        with unit() as staged:
            with write("thing.make", actor=ACTOR, target=TARGET) as w:
                _row("a")
                w.enqueue("test.effect", topic="t")
            staged.before_audit.append(_refusing(RuntimeError))

    with pytest.raises(RuntimeError):
        fail()
    assert (_rows(), Job.objects.count(), AuditEntry.objects.count()) == ([], 0, 0)


def test_the_answer_is_stored_after_the_jobs_and_before_the_audit_row() -> None:
    order: list[tuple[int, int]] = []
    with unit() as staged:
        staged.before_audit.append(lambda: order.append((Job.objects.count(), AuditEntry.objects.count())))
        with write("thing.make", actor=ACTOR, target=TARGET) as w:
            w.enqueue("test.effect", topic="t")
    assert order == [(1, 0)]
    assert AuditEntry.objects.count() == 1


def _refusing(error: type[Exception]) -> Callable[..., None]:
    def refuse(*_arguments: object) -> None:
        raise error("refused")

    return refuse


@pytest.fixture
def _closed_trail() -> Iterator[None]:
    """The application's role may no longer append."""
    role = settings.APPLICATION_DATABASE_ROLE
    with database.owner_link(settings.DATABASES["default"]["NAME"]) as link:
        link.execute(f"REVOKE EXECUTE ON FUNCTION audit_append(jsonb) FROM {role}")
        yield
        link.execute(f"GRANT EXECUTE ON FUNCTION audit_append(jsonb) TO {role}")


@pytest.mark.usefixtures("_closed_trail")
def test_a_trail_that_refuses_takes_the_change_back() -> None:
    def change() -> None:
        with write("thing.make", actor=ACTOR, target=TARGET) as w:
            _row("a")
            w.enqueue("test.effect", topic="t")

    with pytest.raises(AuditUnavailable) as refused:
        change()
    assert refused.value.kind is Kind.UNAVAILABLE
    assert (_rows(), Job.objects.count(), AuditEntry.objects.count()) == ([], 0, 0)


def test_a_dry_run_does_everything_and_keeps_nothing() -> None:
    seen: list[int] = []
    with unit(dry_run=True) as staged:
        staged.before_audit.append(lambda: seen.append(Job.objects.count()))
        with write("thing.make", actor=ACTOR, target=TARGET) as w:
            _row("a")
            w.enqueue("test.effect", topic="t")
            w.touch("topic")
    assert seen == [1]
    assert (_rows(), Job.objects.count(), AuditEntry.objects.count()) == ([], 0, 0)


def test_a_dry_run_meets_the_same_constraints() -> None:
    _row("a")

    def change() -> None:
        with unit(dry_run=True), write("thing.make", actor=ACTOR, target=TARGET):
            _row("a")

    with pytest.raises(IntegrityError):
        change()


@pytest.mark.parametrize("outer", [transaction.atomic, unit])
def test_a_unit_stands_in_no_other_transaction(outer: Any) -> None:
    def nest() -> None:
        with outer(), unit():
            pass

    with pytest.raises(RuntimeError):
        nest()
    assert current_unit() is None


def test_jobs_commit_with_the_write_and_are_told_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, bool]] = []
    monkeypatch.setattr(
        queueing, "send", lambda row: told.append((row.name, transaction.get_connection().in_atomic_block))
    )
    with write("thing.make", actor=ACTOR, target=TARGET) as w:
        w.enqueue("test.effect", topic="a", unique_key="k")
        w.enqueue("test.effect", topic="b", unique_key="k")
        w.enqueue("test.progress", topic="c")
        assert told == []
    assert told == [("test.effect", False), ("test.progress", False)]
    assert [row.args for row in Job.objects.order_by("id")] == [{"topic": "a"}, {"topic": "c"}]
    assert all(row.dispatched_at is not None for row in Job.objects.all())
    assert {row.actor["id"] for row in Job.objects.all()} == {"usr_1"}


def test_an_event_becomes_one_job_for_each_that_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_subscriptions", {})
    events.subscribe("thing.made", job="test.effect")
    events.subscribe("thing.made", job="test.effect")
    events.subscribe("thing.made", job="test.progress")
    with write("thing.make", actor=ACTOR, target=TARGET) as w:
        w.publish("thing.made", topic="t")
        w.publish("thing.unheard", topic="t")
    assert sorted(Job.objects.values_list("name", flat=True)) == ["test.effect", "test.progress"]
    assert {row.args["topic"] for row in Job.objects.all()} == {"t"}
    keys = [row.unique_key or "" for row in Job.objects.all()]
    assert len({key.split(":")[1] for key in keys}) == 1


def test_topics_rise_once_with_the_write() -> None:
    for expected in (1, 2):
        with write("thing.make", actor=ACTOR, target=TARGET) as w:
            w.touch("a", "b")
            w.touch("a")
        assert (live.revision("a"), live.revision("b")) == (expected, expected)


def test_sixteen_writers_of_the_same_topics_in_any_order_do_not_block_each_other() -> None:
    def change(place: int) -> None:
        for _ in range(5):
            with write("thing.make", actor=ACTOR, target=TARGET) as w:
                w.touch(*(["a", "b", "c"] if place % 2 else ["c", "b", "a"]))

    assert in_threads(16, change) == [None] * 16
    assert [live.revision(topic) for topic in "abc"] == [80, 80, 80]
    assert AuditEntry.objects.count() == 80
    assert list(AuditEntry.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, 81))


def test_a_refused_attempt_is_recorded_once_a_minute_for_each_caller_and_action() -> None:
    other = Principal(kind=PrincipalKind.STAFF, id="usr_2")
    for actor, action in [(ACTOR, "a"), (ACTOR, "a"), (ACTOR, "b"), (other, "a"), (other, "a")]:
        record_denied(action, actor=actor, target=TARGET, reason="may not")
    found = AuditEntry.objects.order_by("seq").values_list("actor_id", "action", "outcome")
    assert list(found) == [("usr_1", "a", "denied"), ("usr_1", "b", "denied"), ("usr_2", "a", "denied")]
    cache.clear()
    record_denied("a", actor=ACTOR, target=TARGET)
    assert AuditEntry.objects.count() == 4


def test_without_the_cache_every_refused_attempt_is_recorded(settings: Settings) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    for _ in range(2):
        record_denied("a", actor=ACTOR, target=TARGET)
    assert AuditEntry.objects.filter(outcome="denied").count() == 2


def test_an_attempt_that_was_refused_inside_a_unit_is_recorded_when_it_has_ended() -> None:
    with unit():
        record_denied("a", actor=ACTOR, target=TARGET)
    record_denied("a", actor=ACTOR, target=TARGET)
    assert AuditEntry.objects.filter(outcome="denied").count() == 1
