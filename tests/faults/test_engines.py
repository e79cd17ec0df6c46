"""PostgreSQL and Valkey are stopped in every way there is, under load, and come back.

`make test-faults` restarts each twenty times (tests.faults.scale).
"""

import itertools
import signal
import statistics
import time
import urllib.error
import urllib.request
from secrets import SystemRandom

import pytest
import redis

from tests.faults import checks
from tests.faults.clients import Load
from tests.faults.conftest import Measured
from tests.faults.processes import until
from tests.faults.scale import RESTARTS
from tests.faults.world import ANSWER_SECONDS, PATIENT, Engine, World

BACK_SECONDS = 10.0
CHANCE = SystemRandom()
# What PostgreSQL does not expect, its fast shutdown, its immediate one.
WAYS = (signal.SIGKILL, signal.SIGINT, signal.SIGQUIT)

pytestmark = [
    pytest.mark.faults,
    pytest.mark.xdist_group("faults"),
    pytest.mark.timeout(240 + 20 * RESTARTS),
]


def restart(world: World, engine: Engine, how: signal.Signals, load: Load) -> float:
    """Stops an engine, leaves it away for a moment, starts it; seconds from its first answer to a client's success."""
    load.pause(checks.open_jobs(world) > load.backlog)
    time.sleep(0.5 + CHANCE.random() / 2)
    engine.stop(how)
    time.sleep(CHANCE.random())
    engine.start()
    back = time.monotonic()
    until(lambda: load.first_success_after(back) is not None, seconds=60, each=0.01)
    return load.first_success_after(back) or 0.0


def restarts(world: World, engine: Engine, ways: tuple[signal.Signals, ...], load: Load) -> list[float]:
    load.start()
    until(lambda: load.acknowledged, seconds=30)
    found = [restart(world, engine, how, load) for how in itertools.islice(itertools.cycle(ways), RESTARTS)]
    load.stop()
    checks.settle(world)
    return found


def told(load: Load, seconds: list[float]) -> str:
    answers = ", ".join(f"{status}: {number}" for status, number in sorted(load.statuses.items()))
    return (
        f"back after {statistics.median(seconds):.2f} s (median), {max(seconds):.2f} s (longest); "
        f"slowest answer {load.slowest:.1f} s; answers {answers}"
    )


def test_postgresql_restarted_under_load_costs_only_documented_503s_and_no_effect(
    world: World, load: Load, measured: Measured
) -> None:
    world.serve("web", "worker", "rq", "scheduler")
    seconds = restarts(world, world.postgres, WAYS, load)
    measured(f"{RESTARTS} restarts of PostgreSQL", told(load, seconds))
    checks.assert_nothing_lost_or_doubled(world, load)
    assert load.slowest < ANSWER_SECONDS
    assert max(seconds) < BACK_SECONDS


def test_without_postgresql_the_health_of_services_is_still_told_to_who_was_let_in(world: World) -> None:
    world.serve("web")
    token = world.manage("mint_token", "--scopes", "SERVICE", "--subject", "svc-faults").stdout.strip()
    asked = urllib.request.Request(
        f"http://127.0.0.1:{world.web_port}/api/v1/admin/health/aggregate",
        headers={"Authorization": f"Bearer {token}"},
    )
    # Each worker remembers for itself.
    before = [_answer(asked) for _ in range(20)][-1]
    assert before[0] == 200
    _age_the_aggregate(world)
    world.postgres.stop(signal.SIGQUIT)
    try:
        answers = [_answer(asked) for _ in range(20)]
    finally:
        world.postgres.start()
    assert before in answers
    assert {status for status, _ in answers} <= {200, 503}
    assert all(body == before[1] for status, body in answers if status == 200)


def _answer(asked: urllib.request.Request) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(asked, timeout=ANSWER_SECONDS) as answer:  # noqa: S310  loopback
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


def _age_the_aggregate(world: World) -> None:
    """What is kept is older than it may be, so that the database is asked."""
    with redis.Redis.from_url(world.cache.url) as link:
        stored = link.get("steward:health:aggregate")
        assert isinstance(stored, bytes)
        link.set("steward:health:aggregate", stored.replace(b'"at":', b'"at":0,"was":', 1))


def test_valkey_killed_under_load_with_all_its_messages_costs_no_effect(
    world: World, load: Load, measured: Measured
) -> None:
    world.serve("web", **PATIENT)
    world.serve("worker", "rq", "scheduler")
    seconds = restarts(world, world.valkey, (signal.SIGKILL,), load)
    measured(f"{RESTARTS} restarts of Valkey", told(load, seconds))
    checks.assert_nothing_lost_or_doubled(world, load)
    assert load.slowest < ANSWER_SECONDS
    assert max(seconds) < BACK_SECONDS
    # The cache, the limits and the brokers lost all they had, and no client noticed.
    assert set(load.statuses) <= {200, 201, 409}
