"""Migrations under load: the recipe of docs/migrations.md, and what happens without it.

Each version of the code is a few statements that run in threads without a pause, under a statement_timeout: whoever
would wait longer than that fails, and a failure of any of them fails the test.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.apps import AppConfig
from django.apps import apps as installed
from django.conf import settings
from django.core.management import call_command
from django.db import OperationalError, connections
from psycopg.errors import LockNotAvailable, QueryCanceled

from apps.core.live import open_link
from apps.core.management.commands import migrate
from apps.core.schema import backfill
from tests import database

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])

LONGEST_WAIT = "4s"
LOCK_WAIT = "150ms"
Link = psycopg.Connection[tuple[Any, ...]]
_numbers = itertools.count()


def _version_1(link: Link, number: int) -> None:
    link.execute("INSERT INTO rollout_account (email, note) VALUES (%s, %s)", [f"a{number}@x.example", "new"])
    link.execute("UPDATE rollout_account SET note = note || '' WHERE id = %s", [1 + number % 20_000])
    link.execute(
        "SELECT id, email, note FROM rollout_account WHERE id = %s", [1 + number % 20_000]
    ).fetchone()


def _version_2(link: Link, number: int) -> None:
    """Writes both, reads the old."""
    link.execute(
        "INSERT INTO rollout_account (email, note, remark) VALUES (%s, %s, %s)",
        [f"b{number}@x.example", "new", "new"],
    )
    link.execute("UPDATE rollout_account SET note = 'm', remark = 'm' WHERE id = %s", [1 + number % 20_000])
    link.execute("SELECT note FROM rollout_account WHERE id = %s", [1 + number % 20_000]).fetchone()


def _version_3(link: Link, number: int) -> None:
    """Knows the new one alone."""
    link.execute(
        "INSERT INTO rollout_account (email, remark) VALUES (%s, %s)", [f"c{number}@x.example", "new"]
    )
    link.execute("UPDATE rollout_account SET remark = 'z' WHERE id = %s", [1 + number % 20_000])
    row = link.execute("SELECT remark FROM rollout_account WHERE id = %s", [1 + number % 20_000]).fetchone()
    assert row is not None
    assert row[0] is not None


class Load:
    """Threads that run versions of the code until they are told to stop, and what went wrong in them."""

    def __init__(self, *versions: Callable[[Link, int], None]) -> None:
        self.failures: list[BaseException] = []
        self.done = 0
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(version,)) for version in versions]

    def _run(self, version: Callable[[Link, int], None]) -> None:
        with open_link() as link:
            link.execute(f"SET statement_timeout = '{LONGEST_WAIT}'")
            while not self._stop.wait(0.002):
                try:
                    version(link, next(_numbers))
                    self.done += 1
                except psycopg.Error as failed:
                    self.failures.append(failed)

    def wait_for(self, number: int) -> None:
        deadline = time.monotonic() + 30
        while self.done < number and time.monotonic() < deadline:
            time.sleep(0.01)

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=30)


@pytest.fixture(autouse=True)
def _sample_app(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The app, migrated to its first state and gone afterwards; short waits and pauses for the owner."""
    monkeypatch.setattr(migrate, "FIRST_PAUSE_SECONDS", 0.2)
    connections["owner"].close()
    options = connections["owner"].settings_dict["OPTIONS"]
    monkeypatch.setitem(options, "options", f"-c lock_timeout={LOCK_WAIT}")
    sample = AppConfig.create("tests.core.rollout")
    sample.apps, sample.models = installed, {}
    monkeypatch.setitem(installed.app_configs, "rollout", sample)
    try:
        _to("0001_accounts")
        yield
    finally:
        with _owner() as link:
            link.execute("DROP TABLE IF EXISTS rollout_account")
            link.execute("DELETE FROM django_migrations WHERE app = 'rollout'")
        connections["owner"].close()


def _owner() -> Link:
    return database.owner_link(settings.DATABASES["default"]["NAME"])


def _to(name: str) -> None:
    call_command("migrate", "rollout", name, database="owner", verbosity=0, stdout=StringIO())


@contextmanager
def _long_transaction(seconds: float) -> Iterator[None]:
    """Somebody who has read the table and stays in the transaction: for so long, if nobody is in a hurry."""
    with open_link() as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM rollout_account")
        over = threading.Event()

        def leave() -> None:
            over.wait(timeout=seconds)
            reader.execute("ROLLBACK")

        leaving = threading.Thread(target=leave)
        leaving.start()
        try:
            yield
        finally:
            over.set()
            leaving.join()


def test_a_column_is_renamed_made_obligatory_and_unique_while_old_and_new_code_write() -> None:
    loads = []
    with Load(_version_1, _version_1) as load, _long_transaction(1.0):
        loads.append(load)
        _to("0002_expand")
    with Load(_version_1, _version_2) as load:
        loads.append(load)
        load.wait_for(50)
    with Load(_version_2, _version_2) as load, _long_transaction(1.0):
        loads.append(load)
        _to("0003_fill")
        _to("0004_enforce")
    with Load(_version_2, _version_3) as load, _long_transaction(1.0):
        loads.append(load)
        _to("0005_unique")
    with Load(_version_3, _version_3) as load, _long_transaction(1.0):
        loads.append(load)
        _to("0006_contract")

    assert [load.failures for load in loads] == [[]] * len(loads)
    assert all(load.done for load in loads)
    assert _column("remark") == ("NO",)
    assert _column("note") is None
    assert _valid_indexes() >= {"rollout_email_once", "rollout_by_remark"}


def test_a_step_that_waits_behind_a_long_transaction_stops_everybody_behind_it() -> None:
    """Why there is a lock_timeout: this is what the same step does without."""
    with Load(_version_1, _version_1) as load, _long_transaction(8.0), _owner() as link:
        link.execute("ALTER TABLE rollout_account ADD COLUMN remark varchar(100)")

    assert any(isinstance(failed, QueryCanceled) for failed in load.failures)


def test_a_naive_step_with_the_lock_timeout_gives_up_and_stops_nobody() -> None:
    with Load(_version_1, _version_1) as load, _long_transaction(60.0), _owner() as link:
        link.execute(f"SET lock_timeout = '{LOCK_WAIT}'")
        with pytest.raises(LockNotAvailable):
            link.execute("ALTER TABLE rollout_account ADD COLUMN remark varchar(100)")

    assert load.failures == []


def test_an_index_whose_building_was_broken_off_is_built_anew() -> None:
    for name in ("0002_expand", "0003_fill", "0004_enforce"):
        _to(name)
    with _owner() as link:
        link.execute(
            "INSERT INTO rollout_account (email, remark) SELECT 'twice@example.com', 'x' FROM generate_series(1, 2)"
        )
        with pytest.raises(psycopg.errors.UniqueViolation):
            link.execute("CREATE UNIQUE INDEX CONCURRENTLY rollout_email_once ON rollout_account (email)")
        assert "rollout_email_once" not in _valid_indexes()
        link.execute("DELETE FROM rollout_account WHERE email = 'twice@example.com'")

    _to("0005_unique")

    assert "rollout_email_once" in _valid_indexes()


def test_a_backfill_leaves_rows_that_somebody_holds_for_last_and_fails_where_they_stay_held() -> None:
    _to("0002_expand")
    with open_link() as holder, connections["owner"].schema_editor(atomic=False) as editor:
        holder.execute("BEGIN")
        holder.execute("UPDATE rollout_account SET note = 'held' WHERE id <= 3")
        with pytest.raises(OperationalError):
            backfill(editor, "rollout_account", change="remark = note", where="remark IS NULL")
        holder.execute("COMMIT")

        assert backfill(editor, "rollout_account", change="remark = note", where="remark IS NULL") == 3


def _column(name: str) -> tuple[Any, ...] | None:
    with open_link() as link:
        return link.execute(
            "SELECT is_nullable FROM information_schema.columns "
            "WHERE table_name = 'rollout_account' AND column_name = %s",
            [name],
        ).fetchone()


def _valid_indexes() -> set[str]:
    with open_link() as link:
        rows = link.execute(
            "SELECT relname FROM pg_index JOIN pg_class ON oid = indexrelid WHERE indisvalid "
            "AND indrelid = 'rollout_account'::regclass"
        ).fetchall()
    return {row[0] for row in rows}
