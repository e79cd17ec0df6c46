"""apps.core.write.idempotency: one effect for one key, whatever happens in between."""

import json
import signal
import threading
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core import live
from apps.core.clock import now
from apps.core.errors import Kind
from apps.core.models import IdempotentResponse
from apps.core.principal import Principal, PrincipalKind
from apps.core.write import Target, unit, write
from apps.core.write.idempotency import (
    IdempotencyInProgress,
    IdempotencyKeyReused,
    Scope,
    StoredResponse,
    claim,
    fingerprint,
    store,
)
from tests.core.processes import in_threads, python

pytestmark = pytest.mark.django_db(transaction=True)

ACTOR = Principal(kind=PrincipalKind.KEY, id="key")
TARGET = Target(type="thing", id="thg_1")


def _scope(key: str = "k", **changes: str) -> Scope:
    known = {
        "surface": "platform",
        "tenant": "",
        "subject": "usr_1",
        "method": "POST",
        "route": "things",
        "key": key,
    }
    return Scope(**{**known, **changes})


def _print(body: bytes = b"{}", **changes: Any) -> bytes:
    known: dict[str, Any] = {
        "method": "POST",
        "route": "things",
        "path": {},
        "query": [],
        "content_type": "application/json",
        "body": body,
    }
    return fingerprint(**{**known, **changes})


def served(scope: Scope, print_: bytes, *, topic: str = "effect") -> tuple[StoredResponse, bool]:
    """What a surface does with a request that bears a key: the answer, and whether it is a replay."""
    with unit() as staged:
        stored = claim(scope, print_)
        if stored is not None:
            return stored, True
        with write("thing.make", actor=ACTOR, target=TARGET):
            live.bump([topic])
            body = json.dumps({"revision": live.revision(topic)}).encode()
        answer = StoredResponse(status=201, headers={"Location": "/x"}, body=body)
        staged.before_audit.append(lambda: store(scope, print_, answer))
        return answer, False


def test_the_same_request_gets_the_same_answer_and_one_effect() -> None:
    first, replayed = served(_scope(), _print())
    assert not replayed
    for _ in range(3):
        again, replayed = served(_scope(), _print())
        assert (again, replayed) == (first, True)
    assert live.revision("effect") == 1


def test_another_request_under_the_key_is_a_conflict() -> None:
    served(_scope(), _print(b'{"a": 1}'))
    with pytest.raises(IdempotencyKeyReused) as refused:
        served(_scope(), _print(b'{"a": 2}'))
    assert refused.value.kind is Kind.CONFLICT
    assert live.revision("effect") == 1


@pytest.mark.parametrize("part", ["surface", "tenant", "subject", "method", "route", "key"])
def test_the_key_of_somebody_or_something_else_is_another_key(part: str) -> None:
    served(_scope(), _print())
    _, replayed = served(_scope(**{part: "other"}), _print())
    assert not replayed
    assert live.revision("effect") == 2


def test_a_scope_can_not_be_built_from_the_parts_of_another() -> None:
    assert _scope(subject="a", method="bc").digest() != _scope(subject="ab", method="c").digest()


def test_sixteen_at_a_time_have_one_effect() -> None:
    results = in_threads(16, lambda _: served(_scope(), _print()))
    answers = [result[0] for result in results if isinstance(result, tuple)]
    assert len(answers) >= 1
    assert all(isinstance(result, tuple | IdempotencyInProgress) for result in results), results
    assert len({answer.body for answer in answers}) == 1
    assert live.revision("effect") == 1


def test_sixteen_at_a_time_over_many_keys_have_one_effect_each() -> None:
    def serve(_: int) -> None:
        for number in range(12):
            try:
                served(_scope(key=f"k{number}"), _print(), topic=f"t{number}")
            except IdempotencyInProgress:
                continue

    assert in_threads(16, serve) == [None] * 16
    assert [live.revision(f"t{number}") for number in range(12)] == [1] * 12


def test_while_one_is_served_another_is_told_to_wait() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def serve(place: int) -> Any:
        if place == 1:
            inside.wait(10)
            try:
                return served(_scope(), _print())
            finally:
                go_on.set()
        with unit():
            claim(_scope(), _print())
            inside.set()
            go_on.wait(10)
        return None

    _, told = in_threads(2, serve)
    assert isinstance(told, IdempotencyInProgress)
    assert told.retry_after == 1


def test_a_failed_request_is_not_stored_and_may_come_again() -> None:
    def fail() -> None:
        with unit():
            claim(_scope(), _print())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    _, replayed = served(_scope(), _print())
    assert not replayed


def test_a_killed_process_leaves_neither_a_lock_nor_half_an_effect() -> None:
    code = """
import os, signal
from tests.core.test_idempotency import _print, _scope, served
from apps.core.write import unit
import apps.core.write.idempotency as idempotency
import tests.core.test_idempotency as here
def killed(*_):
    print('now', flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
here.store = killed
served(_scope(), _print())
"""
    process = python(code)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL, said
    end = now() + timedelta(seconds=60)
    while True:
        try:
            _, replayed = served(_scope(), _print())
            break
        except IdempotencyInProgress:
            assert now() < end, "the lock of a dead process is still held"
    assert not replayed
    assert live.revision("effect") == 1


def test_after_a_day_the_key_is_free_again() -> None:
    served(_scope(), _print(b"[1]"))
    IdempotentResponse.objects.update(completed_at=now() - timedelta(hours=24, seconds=1))
    _, replayed = served(_scope(), _print(b"[2]"))
    assert not replayed
    assert IdempotentResponse.objects.count() == 1


def test_the_stored_body_is_sealed() -> None:
    with unit() as staged:
        staged.before_audit.append(
            lambda: store(_scope(), _print(), StoredResponse(status=200, headers={}, body=b"shown once"))
        )
    row = IdempotentResponse.objects.get()
    assert b"shown once" not in bytes(row.body)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=5)


@given(
    value=st.dictionaries(TEXT, st.integers(-(10**30), 10**30) | TEXT, max_size=5),
    indent=st.sampled_from([None, 1]),
)
def test_the_spelling_of_json_makes_no_difference(value: dict[str, Any], indent: int | None) -> None:
    turned = dict(reversed(value.items()))
    assert _print(json.dumps(value).encode()) == _print(json.dumps(turned, indent=indent).encode())


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"route": "other"},
        {"path": {"id": "1"}},
        {"query": [("a", "1")]},
        {"content_type": "text/csv"},
        {"body": b'{"a": 1}'},
    ],
)
def test_whatever_makes_a_request_another_one_changes_its_fingerprint(change: dict[str, Any]) -> None:
    assert _print(**change) != _print()


def test_the_order_of_query_parameters_makes_no_difference() -> None:
    assert _print(query=[("a", "1"), ("b", "2")]) == _print(query=[("b", "2"), ("a", "1")])


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a": 1, "a": 2}', b'"\\ud800"', b"9" * 5000]
)
def test_a_body_that_is_no_json_still_has_a_fingerprint(body: bytes) -> None:
    assert len(_print(body)) == 32


def test_the_parts_of_a_fingerprint_do_not_run_together() -> None:
    assert _print(path={"a": "1"}, query=[]) != _print(path={}, query=[("a", "1")])
    assert _print(b'{"a": 1, "a": 2}') != _print(b'{"a": 2}')
