"""Test databases: a migrated template made once for each state of the migrations, cloned for each process.

The owner migrates the template; tests run as the application's role, which owns nothing. Tables that are not
empty after migrating (plans, content types) are kept aside in the schema `pristine`, from which they are
refilled when a test that committed rows ends.
"""

import hashlib
import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connections
from psycopg import sql

from apps.core.live import listener
from apps.flags.snapshot import holder

ROOT = Path(__file__).resolve().parent.parent
_LOCK = 727_001
_REMOVING_SECONDS = 60
_EMPTYING_ATTEMPTS = 5


def migrations_hash() -> str:
    """Of every file that decides what a migrated database holds."""
    digest = hashlib.sha256()
    files = sorted(ROOT.glob("apps/*/migrations/*.py")) + sorted(ROOT.glob("apps/plans/*.py"))
    for file in [*files, ROOT / "requirements.lock", Path(__file__)]:
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    digest.update(settings.APPLICATION_DATABASE_ROLE.encode())
    return digest.hexdigest()[:16]


def owner_link(name: str) -> "psycopg.Connection[tuple[Any, ...]]":
    """A connection of the owner's role to one database."""
    known = connections["owner"].settings_dict
    return psycopg.connect(
        dbname=name,
        user=known["USER"],
        password=known["PASSWORD"],
        host=known["HOST"],
        port=known["PORT"],
        autocommit=True,
    )


def use(name: str) -> None:
    """Points both aliases at a database."""
    for alias in ("default", "owner"):
        connections[alias].close()
        connections[alias].settings_dict["NAME"] = name
        settings.DATABASES[alias]["NAME"] = name


@contextmanager
def test_database(worker: str) -> Iterator[str]:
    """A fresh clone of the template for this process, dropped at the end."""
    name = f"steward_t{os.getpid()}_{worker}"
    with owner_link("postgres") as link:
        link.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        template = _template(link)
        _drop(link, name)
        link.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
        link.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
    use(name)
    try:
        yield name
    finally:
        # Both would connect anew.
        listener.stop()
        holder.forget()
        _remove(name)


def _template(link: "psycopg.Connection[tuple[Any, ...]]") -> str:
    name = f"steward_tpl_{migrations_hash()}"
    ready = link.execute(
        "SELECT shobj_description(oid, 'pg_database') = 'ready' FROM pg_database WHERE datname = %s", [name]
    ).fetchone()
    if ready and ready[0]:
        return name
    _drop(link, name)
    link.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    use(name)
    call_command("migrate", database="owner", verbosity=0, interactive=False)
    connections.close_all()
    with owner_link(name) as inside:
        _keep_aside(inside)
    link.execute(sql.SQL("COMMENT ON DATABASE {} IS 'ready'").format(sql.Identifier(name)))
    return name


def _remove(name: str) -> None:
    """Drops it, whoever is connected or connects again meanwhile. What can't be dropped stays behind, and is said."""
    deadline = time.monotonic() + _REMOVING_SECONDS
    while True:
        try:
            _end_sessions(name)
            with owner_link("postgres") as link:
                _drop(link, name)
        except (psycopg.Error, DatabaseError) as refused:
            if time.monotonic() > deadline:
                warnings.warn(f"The test database {name} stays behind: {refused}", stacklevel=1)
                return
        else:
            return


def _end_sessions(name: str) -> None:
    """Ends what is still connected; each role may end its own sessions only."""
    connections.close_all()
    for alias in ("default", "owner"):
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = %s AND usename = current_user AND pid <> pg_backend_pid()",
                [name],
            )
    connections.close_all()


def _drop(link: "psycopg.Connection[tuple[Any, ...]]", name: str) -> None:
    """Without FORCE, which may not touch an autovacuum worker; PostgreSQL cancels that one itself, and waits 5 s."""
    link.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def _tables(link: "psycopg.Connection[tuple[Any, ...]]", schema: str) -> list[str]:
    rows = link.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", [schema]
    ).fetchall()
    return [row[0] for row in rows]


def _keep_aside(link: "psycopg.Connection[tuple[Any, ...]]") -> None:
    link.execute("CREATE SCHEMA pristine")
    for table in _tables(link, "public"):
        found = link.execute(
            sql.SQL("SELECT EXISTS (SELECT 1 FROM {})").format(sql.Identifier(table))
        ).fetchone()
        if found and found[0]:
            link.execute(
                sql.SQL("CREATE TABLE {} AS TABLE {}").format(
                    sql.Identifier("pristine", table), sql.Identifier("public", table)
                )
            )


def empty(link: "psycopg.Connection[tuple[Any, ...]]") -> None:
    """Removes what a test committed and refills what a migrated database holds; leaves alone what nobody touched.

    Of a deadlock with a process that still reads, PostgreSQL may choose either side to end it.
    """
    for left in reversed(range(_EMPTYING_ATTEMPTS)):
        try:
            _empty(link)
        except psycopg.errors.DeadlockDetected:
            if not left:
                raise
        else:
            return


def _empty(link: "psycopg.Connection[tuple[Any, ...]]") -> None:
    with link.transaction():
        kept = set(_tables(link, "pristine"))
        tables = [table for table in _tables(link, "public") if table != "django_migrations"]
        touched = _answering_true(link, [_is_touched(table, kept=table in kept) for table in tables])
        if not touched:
            return
        names = sql.SQL(", ").join(sql.Identifier(table) for table in touched)
        link.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))
        # A table is also emptied when one that it refers to was.
        missing = _answering_true(link, [_is_empty(table) for table in sorted(kept & set(tables))])
        for table in missing:
            link.execute(
                sql.SQL("INSERT INTO {} SELECT * FROM {}").format(
                    sql.Identifier("public", table), sql.Identifier("pristine", table)
                )
            )


def _is_touched(table: str, *, kept: bool) -> sql.Composed:
    ours, theirs = sql.Identifier("public", table), sql.Identifier("pristine", table)
    if not kept:
        question = sql.SQL("EXISTS (SELECT 1 FROM {})").format(ours)
    else:
        question = sql.SQL(
            "(SELECT count(*) FROM {0}) <> (SELECT count(*) FROM {1}) "
            "OR EXISTS (SELECT to_jsonb(a) FROM {0} a EXCEPT SELECT to_jsonb(b) FROM {1} b)"
        ).format(ours, theirs)
    return sql.SQL("SELECT {} WHERE {}").format(sql.Literal(table), question)


def _is_empty(table: str) -> sql.Composed:
    ours = sql.Identifier("public", table)
    return sql.SQL("SELECT {} WHERE NOT EXISTS (SELECT 1 FROM {})").format(sql.Literal(table), ours)


def _answering_true(link: "psycopg.Connection[tuple[Any, ...]]", questions: list[sql.Composed]) -> list[str]:
    if not questions:
        return []
    return [row[0] for row in link.execute(sql.SQL(" UNION ALL ").join(questions)).fetchall()]
