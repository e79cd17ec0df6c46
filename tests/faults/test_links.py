"""A slow or broken link between web and PostgreSQL or Valkey, also at the moment of the commit."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from tests.faults import checks
from tests.faults.clients import TENANTS, Load, Reply, ask, create, is_documented
from tests.faults.conftest import Measured
from tests.faults.link import Link, Quality, State, linked
from tests.faults.processes import until
from tests.faults.scale import LONG
from tests.faults.world import ANSWER_SECONDS, PATIENT, World

pytestmark = [
    pytest.mark.faults,
    pytest.mark.xdist_group("faults"),
    pytest.mark.timeout(300),
]


INSERT = b'INSERT INTO "tenants_tenant"'


def is_commit(data: bytes, said: bytes) -> bool:
    return b"COMMIT" in data and INSERT in said


def is_insert_of_tenant(data: bytes, said: bytes) -> bool:
    return INSERT in data and INSERT not in said


def is_note_of_dispatch(data: bytes, said: bytes) -> bool:
    del said
    return b'UPDATE "core_job" SET "dispatched_at"' in data


@pytest.fixture
def database_link(world: World) -> Iterator[Link]:
    """Web reaches PostgreSQL through the link alone; workers reach it directly."""
    with linked(world.database.port) as link:
        url = world.environment()["DATABASE_URL"]
        world.serve("web", DATABASE_URL=_through(url, link.port))
        world.serve("worker", "rq", "scheduler")
        yield link


@pytest.fixture
def slow_link(world: World) -> Iterator[Link]:
    """Web reaches PostgreSQL through a slow link alone, and has time for it."""
    with linked(world.database.port) as link:
        link.quality = Quality(latency=0.01, bandwidth=200_000)
        url = world.environment()["DATABASE_URL"]
        world.serve("web", DATABASE_URL=_through(url, link.port), **PATIENT)
        world.serve("worker", "rq", "scheduler")
        yield link


@pytest.fixture
def cache_link(world: World) -> Iterator[Link]:
    """Web reaches Valkey through the link alone."""
    with linked(world.cache.port) as link:
        world.serve("web", REDIS_URL=_through(world.cache.url, link.port), **PATIENT)
        world.serve("worker", "rq", "scheduler")
        yield link


def _through(url: str, port: int) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{port}").geturl()


def until_created(world: World, load: Load, key: str) -> Reply:
    """Tries again under the same key as a client must, and remembers what it was told."""
    load.begun.add(key)
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        reply = create(world.web_port, world.token, key)
        load.note(reply)
        if reply.ok:
            load.acknowledged[key] = json.loads(reply.body)["data"]["tenant_id"]
            return reply
        time.sleep(0.3)
    raise AssertionError("never answered with success")


CUTS = [
    pytest.param(is_commit, False, id="commit, its answer lost"),
    pytest.param(is_commit, True, id="commit, lost on its way"),
    pytest.param(is_insert_of_tenant, False, id="statement, its answer lost"),
    pytest.param(is_insert_of_tenant, True, id="statement, lost on its way"),
]
BROKEN = [State.SILENT, State.DEAF, State.REFUSING]
AWAY = [State.REFUSING, State.SILENT]


@pytest.mark.parametrize(("moment", "before"), CUTS if LONG else CUTS[:2])
def test_connection_cut_in_a_write_is_503_and_the_key_gets_exactly_one_effect(
    world: World, load: Load, database_link: Link, moment: Callable[[bytes, bytes], bool], before: bool
) -> None:
    for _ in range(10 if LONG else 2):
        key = uuid.uuid4().hex
        cut = database_link.cuts
        database_link.cut_once(moment, before=before)
        load.begun.add(key)
        first = create(world.web_port, world.token, key)
        assert database_link.cuts == cut + 1
        assert first.status == 503
        assert is_documented(first)
        reply = until_created(world, load, key)
        committed = moment is is_commit and not before
        assert ("x-idempotency-replayed" in reply.headers) is committed
    checks.settle(world)
    checks.assert_nothing_lost_or_doubled(world, load)


def test_connection_cut_after_a_commit_is_a_success_all_the_same(
    world: World, load: Load, database_link: Link
) -> None:
    key = uuid.uuid4().hex
    load.begun.add(key)
    cut = database_link.cuts
    database_link.cut_once(is_note_of_dispatch, before=True)
    reply = create(world.web_port, world.token, key)
    assert database_link.cuts == cut + 1
    assert reply.status == 201
    load.acknowledged[key] = json.loads(reply.body)["data"]["tenant_id"]
    checks.settle(world)
    checks.assert_nothing_lost_or_doubled(world, load)


@pytest.mark.parametrize("state", BROKEN if LONG else BROKEN[:1])
def test_broken_link_to_postgresql_is_a_bounded_503_and_heals(
    world: World, load: Load, database_link: Link, measured: Measured, state: State
) -> None:
    load.start()
    until(lambda: load.acknowledged, seconds=30)
    database_link.break_now(state)
    broken = [ask(world.web_port, world.token, "GET", f"{TENANTS}?limit=10") for _ in range(2)]
    ready = ask(world.web_port, world.token, "GET", "/readyz")
    alive = ask(world.web_port, world.token, "GET", "/healthz")
    database_link.mend()
    mended = time.monotonic()
    until(lambda: load.first_success_after(mended) is not None, seconds=60, each=0.01)
    seconds = load.first_success_after(mended) or 0.0
    load.stop()
    assert {reply.status for reply in broken} == {503}
    assert all(is_documented(reply) for reply in broken)
    assert (ready.status, json.loads(ready.body)["missing"]) == (503, ["database"])
    assert alive.status == 200
    slowest = max(load.slowest, *(reply.seconds for reply in [*broken, ready, alive]))
    assert slowest < ANSWER_SECONDS
    assert seconds < ANSWER_SECONDS
    measured(f"link to PostgreSQL {state}", f"slowest answer {slowest:.1f} s; back after {seconds:.2f} s")
    checks.settle(world)
    checks.assert_nothing_lost_or_doubled(world, load)


def test_slow_link_to_postgresql_only_slows(
    world: World, load: Load, slow_link: Link, measured: Measured
) -> None:
    load.threads = 4 if LONG else 2
    load.start()
    until(lambda: len(load.acknowledged) >= (20 if LONG else 3), seconds=120)
    load.stop()
    assert set(load.statuses) <= {200, 201, 409}
    # A write asks PostgreSQL ten times at the least, and each time waits for its question and for its answer.
    assert load.slowest >= 10 * 2 * slow_link.quality.latency
    measured("link of 10 ms and 200 kB/s", f"slowest answer {load.slowest:.1f} s, every one a success")
    checks.settle(world)
    checks.assert_nothing_lost_or_doubled(world, load)


@pytest.mark.parametrize("state", AWAY if LONG else AWAY[:1])
def test_broken_link_to_valkey_costs_no_answer_and_no_job(
    world: World, load: Load, cache_link: Link, measured: Measured, state: State
) -> None:
    load.start()
    until(lambda: load.acknowledged, seconds=30)
    cache_link.break_now(state)
    before = len(load.acknowledged)
    until(lambda: len(load.acknowledged) >= before + 3, seconds=60)
    ready = ask(world.web_port, world.token, "GET", "/readyz")
    load.stop()
    assert (ready.status, json.loads(ready.body)["degraded"]) == (200, ["redis"])
    # Its jobs were not announced; the sweeper finds them.
    checks.settle(world)
    cache_link.mend()
    assert set(load.statuses) <= {200, 201, 409}
    assert load.slowest < ANSWER_SECONDS
    measured(f"link to Valkey {state}", f"slowest answer {load.slowest:.1f} s, every one a success")
    checks.assert_nothing_lost_or_doubled(world, load)
