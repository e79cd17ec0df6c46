"""Statements written by hand, for what nearly every request asks; everything else is asked through the ORM.

The ORM builds and compiles a query anew at each call (some 0.5 ms), and PostgreSQL parses and plans it anew. A
`Statement` is text, bound by the server and prepared by each connection at its second use (setting
DATABASE_PREPARED_STATEMENTS). It goes through Django's wrapper: errors, query counts and health checks are the same.
"""

import json
from collections.abc import Sequence
from typing import Any

from django.db import connections, models
from django.db.backends.utils import CursorDebugWrapper, CursorWrapper
from psycopg import Cursor


class Statement:
    """`Statement("SELECT … WHERE id = %s").row(tenant_id)`. Values are tuples as psycopg reads them.

    `{columns}` in the text stands for the columns that are given.
    """

    def __init__(self, sql: str, columns: "Columns | None" = None) -> None:
        self.sql = sql if columns is None else sql.replace("{columns}", columns.text)

    def rows(self, *parameters: Any) -> list[tuple[Any, ...]]:
        with self._run(parameters) as cursor:
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found

    def run(self, *parameters: Any) -> None:
        """For a statement that gives no rows."""
        with self._run(parameters):
            pass

    def _run(self, parameters: Sequence[Any]) -> CursorWrapper:
        connection = connections["default"]
        connection.close_if_health_check_failed()
        connection.ensure_connection()
        with connection.wrap_database_errors:
            bare = Cursor(connection.connection)
        wrapper = CursorDebugWrapper if connection.queries_logged else CursorWrapper
        cursor = wrapper(bare, connection)
        cursor.execute(self.sql, parameters)
        if connection.queries_logged:
            # Over the wire it goes by its name; whoever counts queries shall read it.
            connection.queries_log[-1]["sql"] = self.sql
        return cursor

    def row(self, *parameters: Any) -> tuple[Any, ...] | None:
        """The first row."""
        found = self.rows(*parameters)
        return found[0] if found else None


class Columns:
    """The columns of several models in one statement, and the instances behind a row of it.

    `Columns(t=Tenant, p=Plan)`: the tables have these names in the statement; `read(row)` gives the
    instances in that order, None for a table that an outer join left empty.
    """

    def __init__(self, **tables: type[models.Model]) -> None:
        self._parts: list[tuple[type[models.Model], list[str], int, list[int]]] = []
        names: list[str] = []
        for alias, model in tables.items():
            fields = model._meta.concrete_fields  # noqa: SLF001  Django's documented interface
            kept_as_json = [n for n, field in enumerate(fields) if isinstance(field, models.JSONField)]
            self._parts.append((model, [field.attname for field in fields], len(names), kept_as_json))
            names += [f'{alias}."{field.column}"' for field in fields]
        self.text = ", ".join(names)

    def read(self, row: Sequence[Any]) -> list[Any]:
        return [self._one(row, *part) for part in self._parts]

    def _one(
        self, row: Sequence[Any], model: type[models.Model], names: list[str], start: int, as_json: list[int]
    ) -> models.Model | None:
        values = list(row[start : start + len(names)])
        if all(value is None for value in values):
            return None
        for place in as_json:
            if isinstance(values[place], str):
                values[place] = json.loads(values[place])
        return model.from_db("default", names, values)


class Insertion(Statement):
    """`Insertion(PlanOverride).add(override)`: writes a new row of an instance, as `save(force_insert=True)` does."""

    def __init__(self, model: type[models.Model]) -> None:
        self._fields = [field for field in model._meta.concrete_fields if not field.generated]  # noqa: SLF001  as above
        columns = ", ".join(f'"{field.column}"' for field in self._fields)
        marks = ", ".join(["%s"] * len(self._fields))
        super().__init__(f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ({marks})')  # noqa: S608, SLF001

    def add(self, instance: models.Model) -> None:
        """Raises django.db.IntegrityError: as the table's constraints say."""
        self.run(*_prepared(self._fields, instance, add=True))
        instance._state.adding, instance._state.db = False, "default"  # noqa: SLF001  as save() does


class Update(Statement):
    """`Update(Tenant, "version", "updated_at").keep(tenant)`: writes these fields of the instance's row."""

    def __init__(self, model: type[models.Model], *fields: str) -> None:
        meta = model._meta  # noqa: SLF001  as above
        known = {field.name: field for field in meta.concrete_fields}
        self._fields = [known[name] for name in fields]
        changed = ", ".join(f'"{field.column}" = %s' for field in self._fields)
        super().__init__(f'UPDATE "{meta.db_table}" SET {changed} WHERE "{meta.pk.column}" = %s')  # noqa: S608

    def keep(self, instance: models.Model) -> None:
        self.run(*_prepared(self._fields, instance, add=False), instance.pk)


def _prepared(fields: "Sequence[models.Field[Any, Any]]", instance: models.Model, *, add: bool) -> list[Any]:
    connection = connections["default"]
    return [field.get_db_prep_save(field.pre_save(instance, add), connection) for field in fields]
