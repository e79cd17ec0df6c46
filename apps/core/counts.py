"""The number of rows of large tables, without counting them: exact, as of the reader's snapshot.

Counting 1,000,000 rows takes some 60 ms, and each page of a list tells the total. Triggers of the counted tables keep
it instead, in the transaction of the change (`keep_count` in a migration).
"""

from django.db import models
from django.db.migrations import RunSQL

from apps.core.statements import Statement

_SUM = Statement('SELECT coalesce(sum(rows), 0)::bigint FROM core_row_count WHERE "table" = %s')


def kept_count(model: type[models.Model]) -> int:
    """How many rows the model's table has; the table is one that has the triggers."""
    row = _SUM.row(model._meta.db_table)  # noqa: SLF001  Django's documented interface
    return int(row[0]) if row else 0


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
