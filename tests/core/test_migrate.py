"""`manage.py migrate`: as the owner, and patient with locks."""

from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import DatabaseError, OperationalError, connection, connections, transaction
from psycopg.errors import LockNotAvailable
from pytest_django import Settings

from apps.core.management.commands import migrate
from apps.core.models import Job
from tests import database


def _failing(times: int, cause: Exception) -> Any:
    calls: list[str] = []

    def handle(_self: DjangoMigrate, *_args: Any, **options: Any) -> None:
        calls.append(options["database"])
        if len(calls) <= times:
            raise OperationalError("no") from cause

    return handle, calls


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(migrate, "time", SimpleNamespace(sleep=found.append))
    return found


def test_without_the_owners_address_it_says_what_to_set(settings: Settings) -> None:
    settings.DATABASE_OWNER_IS_CONFIGURED = False
    with pytest.raises(CommandError, match="Set DATABASE_OWNER_URL"):
        call_command("migrate", stdout=StringIO())


def test_it_goes_again_after_growing_pauses_where_a_lock_is_taken(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    handle, calls = _failing(3, LockNotAvailable("locked"))
    monkeypatch.setattr(DjangoMigrate, "handle", handle)
    call_command("migrate", stdout=StringIO())
    assert calls == ["owner"] * 4
    assert pauses == [1, 2, 4]


def test_it_gives_up_after_five_attempts_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    handle, calls = _failing(9, LockNotAvailable("locked"))
    monkeypatch.setattr(DjangoMigrate, "handle", handle)
    with pytest.raises(CommandError, match="stayed locked through 5 attempts"):
        call_command("migrate", stdout=StringIO())
    assert len(calls) == 5
    assert pauses == [1, 2, 4, 8]


def test_another_failure_is_not_repeated(monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> None:
    handle, calls = _failing(9, ValueError("other"))
    monkeypatch.setattr(DjangoMigrate, "handle", handle)
    with pytest.raises(OperationalError):
        call_command("migrate", stdout=StringIO())
    assert (len(calls), pauses) == (1, [])


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_a_lock_that_goes_away_in_time_does_not_stop_the_migration(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real thing: a step that needs a table which somebody reads in a long transaction."""
    monkeypatch.setattr(migrate, "FIRST_PAUSE_SECONDS", 0.3)
    real, tried = DjangoMigrate.handle, []
    reader = database.owner_link(settings.DATABASES["default"]["NAME"])

    def handle(self: DjangoMigrate, *args: Any, **options: Any) -> None:
        tried.append(1)
        if len(tried) == 2:
            reader.execute("ROLLBACK")
        alias = options["database"]
        with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '200ms'")
            cursor.execute("LOCK TABLE core_job IN ACCESS EXCLUSIVE MODE")
        real(self, *args, **options)

    monkeypatch.setattr(DjangoMigrate, "handle", handle)
    with reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM core_job")
        call_command("migrate", stdout=StringIO(), verbosity=0)
    assert len(tried) >= 2


@pytest.mark.django_db
def test_the_application_s_role_reads_and_writes_rows_and_owns_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = user)"
        )
        assert cursor.fetchone() == (0,)
        cursor.execute(
            "SELECT has_table_privilege('core_job', 'SELECT, INSERT, UPDATE, DELETE'), "
            "has_table_privilege('core_job', 'TRUNCATE'), has_table_privilege('django_migrations', 'INSERT'), "
            "has_schema_privilege('public', 'CREATE')"
        )
        assert cursor.fetchone() == (True, False, False, False)
    assert Job.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "DROP TABLE core_job",
        "ALTER TABLE core_job ADD COLUMN x int",
        "TRUNCATE core_job",
        "DELETE FROM django_migrations",
        "DELETE FROM audit_entry",
        "UPDATE audit_entry SET action = 'x'",
        "INSERT INTO audit_head (chain, seq, hash) VALUES ('x', 1, '')",
        "SET ROLE steward_owner",
    ],
)
def test_the_application_s_role_may_not(statement: str) -> None:
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute(statement)
