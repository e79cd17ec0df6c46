"""Kill anything: no effect lost, none doubled, none without its audit row.

The short form kills a dozen times, `make test-faults` a thousand times (tests.faults.scale).
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from secrets import SystemRandom

import pytest

from tests.faults import checks
from tests.faults.clients import Load
from tests.faults.conftest import Measured
from tests.faults.processes import Process, sigkill, until
from tests.faults.scale import KILLS
from tests.faults.world import World

KILLS_A_ROUND = 200
CHANCE = SystemRandom()
# How the kills are spread, in percent. Starting Django costs a second of both cores, a fork nothing.
SHARES = {
    "web": {"web worker": 19, "web": 4},
    "worker": {"pool child": 39, "celery worker": 5},
    "rq": {"work horse": 27, "rq worker": 5},
    "scheduler": {"scheduler": 1},
}

pytestmark = [
    pytest.mark.faults,
    pytest.mark.xdist_group("faults"),
    pytest.mark.timeout(180 + 3 * KILLS),
]


def a_child_of(program: Process, _world: World) -> bool:
    """Kills one child, where there is one."""
    found = program.children
    return bool(found) and sigkill(CHANCE.choice(found))


def a_pool_child_of(program: Process, world: World) -> bool:
    """Kills one child while jobs run. (One that dies while the pool starts ends the worker: see config.celery.)"""
    # One that was killed stays active until it is swept; one that has just begun really runs.
    running = (
        "SELECT count(*) FROM core_job WHERE name = 'victims.celery' AND status = 'active' "
        "AND started_at > now() - interval '500 ms'"
    )
    return bool(world.rows(running)[0][0]) and a_child_of(program, world)


def a_work_horse_of(program: Process, _world: World) -> bool:
    """RQ forks for each job: waits for a child, and kills it in the middle of the job."""
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        if found := program.children:
            time.sleep(CHANCE.random() / 5)
            return sigkill(found[0])
        time.sleep(0.005)
    return False


def all_of(program: Process, _world: World) -> bool:
    return program.kill()


BLOWS: dict[str, tuple[Callable[[Process, World], bool], float]] = {
    "web worker": (a_child_of, 0.5),
    "web": (all_of, 0.5),
    "pool child": (a_pool_child_of, 0.4),
    "celery worker": (all_of, 4.0),
    "work horse": (a_work_horse_of, 0.3),
    "rq worker": (all_of, 3.0),
    "scheduler": (all_of, 3.0),
}


def killer(world: World, name: str, plan: list[str], load: Load, delivered: Counter[str]) -> threading.Thread:
    """A thread that kills until every blow of the plan has met somebody alive.

    Web is killed while it serves: between two blows at least one write was acknowledged.
    """

    def work() -> None:
        for blow in plan:
            strike, pause = BLOWS[blow]
            before = len(load.acknowledged)
            while name == "web" and len(load.acknowledged) == before:
                time.sleep(0.05)
            while not strike(world.programs[name], world):
                time.sleep(0.05)
            delivered[blow] += 1
            time.sleep(pause * (0.5 + CHANCE.random()))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def plans(kills: int) -> dict[str, list[str]]:
    """For each program its blows, in a random order; together at least so many."""
    found = {}
    for program, shares in SHARES.items():
        found[program] = [
            blow for blow, percent in shares.items() for _ in range(max(1, -(-kills * percent // 100)))
        ]
        CHANCE.shuffle(found[program])
    return found


def storm(world: World, kills: int, delivered: Counter[str]) -> Load:
    """Clients write and jobs run while everything that is ours is killed; then all is started again and ends."""
    load = Load(world.web_port, world.token, web_dies=True).start()
    killers = [killer(world, name, plan, load, delivered) for name, plan in plans(kills).items()]
    while any(thread.is_alive() for thread in killers):
        load.pause(checks.open_jobs(world) > load.backlog)
        time.sleep(0.2)
    world.until_web_answers()
    load.stop()
    checks.settle(world)
    return load


def ran_again(world: World) -> int:
    """How many jobs were begun more than once."""
    query = "SELECT count(*) FROM core_job WHERE name LIKE 'victims.%' AND attempts > 1"
    return int(world.rows(query)[0][0])


def test_whatever_is_killed_during_writes_and_jobs_each_effect_is_there_once_with_its_audit_row(
    world: World, measured: Measured
) -> None:
    world.serve("web", "worker", "rq", "scheduler")
    until(lambda: world.programs["worker"].children, seconds=30)
    delivered: Counter[str] = Counter()
    writes = requests = 0
    before = ran_again(world)
    # A dozen kills may, by bad luck, meet no job: then there are a few more.
    while delivered.total() < KILLS or ran_again(world) == before:
        load = storm(world, max(0, min(KILLS - delivered.total(), KILLS_A_ROUND)), delivered)
        checks.assert_nothing_lost_or_doubled(world, load)
        assert load.acknowledged
        writes += len(load.acknowledged)
        requests += load.statuses.total()
    again = ran_again(world) - before
    told = ", ".join(f"{blow} {number}" for blow, number in sorted(delivered.items()))
    measured(f"{delivered.total()} kills", told)
    measured(
        "", f"{requests} requests, {writes} writes acknowledged, none lost or doubled; {again} jobs ran again"
    )
