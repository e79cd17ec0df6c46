"""The number of rows of large tables, without counting them: exact, as of the reader's snapshot.

Counting 1,000,000 rows takes some 60 ms, and each page of a list tells the total. Triggers of the counted tables keep
it instead, in the transaction of the change (`keep_count` in a migration), and of some also how many rows each value of
a column has (`keep_parts`).
"""

from collections.abc import Sequence

from django.db import models
from django.db.migrations import RunSQL

from apps.core.statements import Statement

_SUM = Statement(
    "SELECT coalesce(sum(rows), 0)::bigint FROM core_row_count WHERE \"table\" = %s AND part = ''"
)
_PARTS = Statement(
    "SELECT part, sum(rows)::bigint FROM core_row_count WHERE \"table\" = %s AND part <> '' GROUP BY part"
)


def kept_count(model: type[models.Model]) -> int:
    """How many rows the model's table has; the table is one that has the triggers."""
    row = _SUM.row(model._meta.db_table)  # noqa: SLF001  Django's documented interface
    return int(row[0]) if row else 0


def kept_parts(model: type[models.Model]) -> dict[str, int]:
    """How many rows each part of the model's table has, by the part's value as text; empty parts may be left out."""
    return {part: int(rows) for part, rows in _PARTS.rows(model._meta.db_table)}  # noqa: SLF001  as above


def keep_count(table: str) -> RunSQL:
    """The migration that starts to keep the number of a table's rows. Writers wait while the rows are counted once."""
    each = "FOR EACH STATEMENT EXECUTE FUNCTION"
    forward = f"""
        CREATE TRIGGER {table}_more AFTER INSERT ON {table} REFERENCING NEW TABLE AS changed {each} core_count_rows();
        CREATE TRIGGER {table}_fewer AFTER DELETE ON {table} REFERENCING OLD TABLE AS changed {each} core_count_rows();
        CREATE TRIGGER {table}_none AFTER TRUNCATE ON {table} {each} core_count_none();
        INSERT INTO core_row_count ("table", slot, rows) SELECT '{table}', 0, count(*) FROM {table};
    """  # noqa: S608  our own migrations name the table
    backward = f"""
        DROP TRIGGER {table}_more ON {table};
        DROP TRIGGER {table}_fewer ON {table};
        DROP TRIGGER {table}_none ON {table};
        DELETE FROM core_row_count WHERE "table" = '{table}';
    """  # noqa: S608
    return RunSQL(forward, backward)


def keep_parts(table: str, *, part: str, where: str, watched: Sequence[str]) -> RunSQL:
    """The migration that starts to keep how many rows each value of a column has. Writers wait while the rows are
    counted once.

    Args:
        part: the column.
        where: which rows count.
        watched: the columns that `part` and `where` look at; only a change of these costs anything.
    """
    counted = (
        f"SELECT {part}::text AS part, count(*) AS rows FROM {{rows}} WHERE {where} GROUP BY 1 ORDER BY 1"  # noqa: S608
    )
    add = f"PERFORM core_count_add('{table}', each.part, {{sign}}each.rows);"

    def loop(rows: str, sign: str = "") -> str:
        return f"FOR each IN {counted.format(rows=rows)} LOOP {add.format(sign=sign)} END LOOP;"

    old, new = ("(SELECT OLD.*) AS changed", "(SELECT NEW.*) AS changed")
    differs = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in watched)
    forward = f"""
        CREATE FUNCTION {table}_parts() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE each record;
        BEGIN
            IF TG_OP = 'INSERT' THEN {loop("changed")}
            ELSIF TG_OP = 'DELETE' THEN {loop("changed", "-")}
            END IF;
            RETURN NULL;
        END $$;
        CREATE FUNCTION {table}_part() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE each record;
        BEGIN
            {loop(old, "-")}
            {loop(new)}
            RETURN NULL;
        END $$;
        CREATE TRIGGER {table}_parts_more AFTER INSERT ON {table}
            REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION {table}_parts();
        CREATE TRIGGER {table}_parts_fewer AFTER DELETE ON {table}
            REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION {table}_parts();
        CREATE TRIGGER {table}_parts_moved AFTER UPDATE OF {", ".join(watched)} ON {table}
            FOR EACH ROW WHEN ({differs}) EXECUTE FUNCTION {table}_part();
        INSERT INTO core_row_count ("table", part, slot, rows)
            SELECT '{table}', part, 0, rows FROM ({counted.format(rows=table)}) AS found;
    """  # noqa: S608  our own migrations name the table
    backward = f"""
        DROP TRIGGER {table}_parts_more ON {table};
        DROP TRIGGER {table}_parts_fewer ON {table};
        DROP TRIGGER {table}_parts_moved ON {table};
        DROP FUNCTION {table}_parts();
        DROP FUNCTION {table}_part();
        DELETE FROM core_row_count WHERE "table" = '{table}' AND part <> '';
    """  # noqa: S608
    return RunSQL(forward, backward)
