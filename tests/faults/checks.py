"""What must hold when the dust has settled: each effect once, each with its audit row, and nothing left behind."""

from contextlib import suppress

from apps.core import ids
from tests.faults.clients import Load
from tests.faults.processes import until
from tests.faults.world import SUPERUSER, World

_OPEN = "SELECT count(*) FROM core_job WHERE name LIKE 'victims.%' AND status IN ('waiting', 'active')"
_ENGINES = ("celery", "rq")


def open_jobs(world: World) -> int:
    return int(world.rows(_OPEN)[0][0])


def settle(world: World, *, seconds: float = 120) -> None:
    """Waits until every job has ended.

    The pauses before another attempt, and before the sweeper sends again what was sent, are cut short: their lengths
    are tested elsewhere.

    Raises:
        AssertionError: some have not; says which.
    """
    world.run("UPDATE core_job SET run_at = now(), dispatched_at = NULL WHERE status = 'waiting'")
    with suppress(AssertionError):
        until(lambda: open_jobs(world) == 0, seconds=seconds, each=0.3)
    left = "SELECT name, status, attempts FROM core_job WHERE status IN ('waiting', 'active') LIMIT 20"
    assert open_jobs(world) == 0, world.rows(left)


def assert_nothing_lost_or_doubled(world: World, load: Load) -> None:
    """Call it when the load has stopped and the jobs have settled.

    Raises:
        AssertionError: an effect is missing, doubled, without audit row, or an audit row without effect.
    """
    made = dict(
        world.rows(
            "SELECT company_name, id FROM tenants_tenant WHERE company_name = ANY(%s)", list(load.begun)
        )
    )
    count = world.rows("SELECT count(*) FROM tenants_tenant WHERE company_name = ANY(%s)", list(load.begun))[
        0
    ][0]
    assert count == len(made), "a key has two tenants"
    told = {key: ids.parse(ids.TENANT, tenant) for key, tenant in load.acknowledged.items()}
    assert told.items() <= made.items(), "an answer of success, and its effect is not there"
    assert not load.odd, [(reply.status, reply.body[:300]) for reply in load.odd[:5]]
    _assert_audited(world)
    _assert_jobs_done(world)
    _assert_nothing_held(world)
    verified = world.manage("audit_verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def _assert_audited(world: World) -> None:
    tenants = {row[0] for row in world.rows("SELECT id FROM tenants_tenant WHERE is_test")}
    audited = world.rows("SELECT tenant_id FROM audit_entry WHERE action = 'tenant.create_test'")
    assert len(audited) == len(tenants), "not one audit row for each tenant"
    assert {row[0] for row in audited} == tenants
    answers = world.rows("SELECT count(*) FROM core_idempotent_response WHERE status = 201")[0][0]
    assert answers == len(tenants), "a stored answer without its effect, or the reverse"


def _assert_jobs_done(world: World) -> None:
    tenants = {row[0] for row in world.rows("SELECT id FROM tenants_tenant WHERE is_test")}
    wanted = {f"effect:{engine}:{tenant}" for engine in _ENGINES for tenant in tenants}
    effects = {row[0] for row in world.rows("SELECT name FROM core_live_topic WHERE name LIKE 'effect:%'")}
    assert effects == wanted, "a job's effect is missing, or nobody asked for it"
    audited = [
        row[0] for row in world.rows("SELECT resource_id FROM audit_entry WHERE action = 'victim.effect'")
    ]
    assert len(audited) == len(wanted)
    assert set(audited) == wanted
    ended = world.rows("SELECT count(*) FROM core_job WHERE name LIKE 'victims.%' AND status <> 'completed'")
    assert ended[0][0] == 0, "a job did not end well"


def _assert_nothing_held(world: World) -> None:
    """Locks and transactions of the dead are gone; those of the living last a moment."""
    held = (
        "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
        "WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.pid <> pg_backend_pid()"
    )
    idle = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
    until(lambda: world.rows(held)[0][0] == 0, seconds=15)
    # Only the superuser sees what others' sessions do.
    until(lambda: world.rows(idle, role=SUPERUSER)[0][0] == 0, seconds=15)
    running = "SELECT count(*) FROM core_job WHERE status = 'active'"
    until(lambda: world.rows(running)[0][0] == 0, seconds=30)
