"""Steps of migrations that a running version bears; docs/migrations.md is the recipe.

Each is for a migration with `atomic = False`, and leaves nothing in the way when it is run again: `manage.py migrate`
goes again where a lock was taken.
"""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently, NotInTransactionMixin
from django.db import models, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.utils import names_digest
from django.db.migrations.operations import AddConstraint, AlterField
from django.db.migrations.state import ProjectState

BATCH = 1_000


def backfill(
    editor: BaseDatabaseSchemaEditor, table: str, *, change: str, where: str, batch: int = BATCH
) -> int:
    """`UPDATE table SET change WHERE where`, in short transactions of `batch` rows; how many rows it changed.

    `where` must no longer hold for a row that was changed. Rows that somebody holds are left for last, and then waited
    for as long as the owner's lock_timeout says. Only literals of the migration's own belong into `change` and `where`.

    Raises:
        django.db.OperationalError: a row stayed locked.
    """
    alias = editor.connection.alias
    name = editor.quote_name(table)
    total = 0
    for waiting in (" SKIP LOCKED", ""):
        changed = batch
        while changed:
            with transaction.atomic(using=alias), editor.connection.cursor() as cursor:
                cursor.execute(
                    f"UPDATE {name} SET {change} WHERE ctid = ANY(ARRAY("  # noqa: S608  the migration's own literals
                    f"SELECT ctid FROM {name} WHERE {where} LIMIT {int(batch)} FOR UPDATE{waiting}))"
                )
                changed = cursor.rowcount
            total += changed
    return total


class EnforceNotNull(NotInTransactionMixin, AlterField):
    """AlterField to `null=False` without reading the table under a lock that stops everybody.

    A CHECK that holds for new rows at once, its validation beside the traffic, then NOT NULL, for which PostgreSQL
    believes the CHECK. Source: PostgreSQL, ALTER TABLE, "Notes".
    """

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        del from_state
        self._ensure_not_in_transaction(schema_editor)
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        options = model._meta  # noqa: SLF001  Django's documented interface
        table, column = options.db_table, options.get_field(self.name).column
        check = f"{column[:20]}_{names_digest(table, column, length=8)}_not_null"
        altered, quoted, name = map(schema_editor.quote_name, (table, column, check))
        if not _exists(schema_editor, "SELECT 1 FROM pg_constraint WHERE conname = %s", check):
            schema_editor.execute(
                f"ALTER TABLE {altered} ADD CONSTRAINT {name} CHECK ({quoted} IS NOT NULL) NOT VALID"
            )
        schema_editor.execute(f"ALTER TABLE {altered} VALIDATE CONSTRAINT {name}")
        schema_editor.execute(
            f"ALTER TABLE {altered} ALTER COLUMN {quoted} SET NOT NULL, DROP CONSTRAINT {name}"
        )


class BuildIndex(AddIndexConcurrently):
    """AddIndexConcurrently that waits for long transactions, and begins anew where an attempt was broken off.

    Building waits until every transaction has ended that is older; nobody waits for it meanwhile. The lock_timeout
    that keeps other steps from being waited for would only break it off and leave an invalid index behind.
    """

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        self._ensure_not_in_transaction(schema_editor)
        _drop_broken(schema_editor, self.index.name)
        with _Patient(schema_editor):
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class BuildUnique(NotInTransactionMixin, AddConstraint):
    """AddConstraint for a UniqueConstraint on fields, whose index is built beside the traffic.

    Raises:
        django.db.IntegrityError: rows are equal; the broken index is dropped at the next attempt.
    """

    constraint: models.UniqueConstraint

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        del from_state
        self._ensure_not_in_transaction(schema_editor)
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        quote = schema_editor.quote_name
        options = model._meta  # noqa: SLF001  Django's documented interface
        table, name = quote(options.db_table), quote(self.constraint.name)
        columns = ", ".join(quote(options.get_field(field).column) for field in self.constraint.fields)
        _drop_broken(schema_editor, self.constraint.name)
        if not _exists(schema_editor, "SELECT 1 FROM pg_class WHERE relname = %s", self.constraint.name):
            with _Patient(schema_editor):
                schema_editor.execute(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({columns})")
        schema_editor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}")


class _Patient:
    """Without a limit on waiting for locks, for a statement that nobody waits for."""

    def __init__(self, editor: Any) -> None:
        self._editor = editor

    def __enter__(self) -> None:
        with self._editor.connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            self._before = cursor.fetchone()[0]
            cursor.execute("SET lock_timeout = 0")

    def __exit__(self, *_raised: object) -> None:
        with self._editor.connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [self._before])


def _drop_broken(editor: Any, name: str) -> None:
    broken = "SELECT 1 FROM pg_index JOIN pg_class ON oid = indexrelid WHERE relname = %s AND NOT indisvalid"
    if _exists(editor, broken, name):
        with _Patient(editor):
            editor.execute(f"DROP INDEX CONCURRENTLY {editor.quote_name(name)}")


def _exists(editor: Any, question: str, name: str) -> bool:
    with editor.connection.cursor() as cursor:
        cursor.execute(question, [name])
        return cursor.fetchone() is not None
