"""`seed --size=large` by COPY, as the owner of the tables: what the services would take hours for.

One transaction: killed half-way, nothing is there. Foreign keys and all indexes but the primary keys are dropped for
the load and made again behind it, so that each is built once; the tables are locked meanwhile, and a running stack
waits. For trials and measurements: never in production.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from apps.plans.models import Plan
from apps.users.management import bulk
from apps.users.management.bulk import Chained, GivenPlan, Line, World

_PLANS = ("starter", "growth", "pro", "enterprise")
_LINES = 2_000
_TABLES = (
    "tenants_tenant",
    "tenants_facts",
    "tenants_status_change",
    "users_user",
    "users_membership",
    "audit_entry",
    "audit_detail",
)
_COLUMNS = {
    "tenants_tenant": "id, slug, company_name, owner_email, status, is_test, plan_id, plan_version_id, "
    "effective_plan_id, effective_version, trial_ends_at, activated_at, suspended_at, suspended_from, cancelled_at, "
    "country, tags, tokens_valid_after, version, created_at, updated_at",
    "tenants_facts": "tenant_id, members, workspaces, updated_at",
    "tenants_status_change": "tenant_id, at, from_status, to_status, actor_id, reason",
    "users_user": "id, email, name, password, last_login, suspended_at, blocked_at, tokens_valid_after, notes, "
    "version, created_at, updated_at",
    "users_membership": "id, user_id, tenant_id, role, created_at",
    "audit_entry": "id, chain, seq, at, actor_kind, actor_id, via, action, resource_type, resource_id, tenant_id, "
    "person_id, outcome, metadata, request_id, correlation_id, actor_commitment, subject_commitment, previous_hash, "
    "hash",
    "audit_detail": "entry_id, part, person_id, salt, body",
}


class OtherRows(Exception):
    """A world of another size is there."""


def world(tenants: int, users: int) -> World:
    """The world of that size, on the plans of this database."""
    plans = Plan.objects.filter(slug__in=_PLANS).order_by("slug")
    rows = plans.filter(versions__version=1).values_list("id", "slug", "versions__id", "versions__version")
    return World(tenants, users, tuple(GivenPlan(str(row[0]), row[1], row[2], row[3]) for row in rows))


def load(made: World) -> bool:
    """Puts the world there; False where it is there already.

    Raises:
        OtherRows: one of another size is.
    """
    owner = connections["owner"]
    if _is_there(made):
        return False
    with transaction.atomic(using="owner"), owner.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '60s'")
        cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
        rebuilt = _take_down(cursor)
        _copy(cursor, "tenants_tenant", bulk.tenants(made))
        _copy(cursor, "tenants_facts", bulk.facts(made))
        _copy(cursor, "tenants_status_change", bulk.status_changes(made))
        _copy(cursor, "users_user", bulk.people(made))
        _copy(cursor, "users_membership", bulk.memberships(made))
        _trail(cursor, made)
        for statement in rebuilt:
            cursor.execute(statement)
    with owner.cursor() as cursor:
        for table in (*_TABLES, "audit_head", "core_row_count"):
            cursor.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(table)))
    return True


def _is_there(made: World) -> bool:
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT count(*), max(slug) FROM tenants_tenant WHERE slug ~ '^load-[0-9]{6}$'")
        count, last = cursor.fetchone() or (0, None)
        cursor.execute("SELECT count(*) FROM users_user WHERE id = %s", [made.user_id(made.users - 1)])
        people = cursor.fetchone()
    if count == 0:
        return False
    if (count, last) == (made.tenants, bulk.slug(made.tenants - 1)) and people and people[0]:
        return True
    raise OtherRows


def _take_down(cursor: CursorWrapper) -> list[str]:
    """Drops foreign keys, unique constraints and indexes; answers the statements that make them again."""
    cursor.execute(
        "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conrelid = ANY(%s::regclass[]) AND contype IN ('f', 'u') ORDER BY contype DESC, conname",
        [list(_TABLES)],
    )
    constraints: list[tuple[str, str, str]] = cursor.fetchall()
    cursor.execute(
        "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i "
        "WHERE i.indrelid = ANY(%s::regclass[]) AND NOT EXISTS (SELECT FROM pg_constraint c "
        "WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u')) ORDER BY 1",
        [list(_TABLES)],
    )
    indexes: list[tuple[str, str]] = cursor.fetchall()
    for table, name, _ in reversed(constraints):
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    # Unique constraints before foreign keys, which may stand on them.
    again = [f"ALTER TABLE {table} ADD CONSTRAINT {name} {text}" for table, name, text in constraints]
    return [text for _, text in indexes] + again


def _trail(cursor: CursorWrapper, made: World) -> None:
    """Chains of the tenants are new; the platform's goes on where it stands."""
    cursor.execute("SELECT seq, hash FROM audit_head WHERE chain = 'platform' FOR UPDATE")
    row: tuple[Any, ...] = cursor.fetchone() or (0, bulk.GENESIS)
    chains = (
        Chained(bulk.of_tenants(made)),
        Chained(bulk.of_people(made), seq=row[0], previous=bytes(row[1])),
    )
    for chained in chains:
        _copy(cursor, "audit_entry", chained.lines())
    cursor.execute("DELETE FROM audit_head WHERE chain = 'platform'")
    heads = (f"{chain}\t{seq}\t\\\\x{last.hex()}" for chained in chains for chain, seq, last in chained.heads)
    _copy(cursor, "audit_head", heads, "chain, seq, hash")
    for entries in (bulk.of_tenants(made), bulk.of_people(made)):
        _copy(cursor, "audit_detail", bulk.details(entries))


def _copy(cursor: CursorWrapper, table: str, lines: Iterator[Line], columns: str = "") -> None:
    statement = f"COPY {table} ({columns or _COLUMNS[table]}) FROM STDIN"
    with cursor.cursor.copy(statement) as copy:
        while some := list(islice(lines, _LINES)):
            copy.write("\n".join(some) + "\n")
