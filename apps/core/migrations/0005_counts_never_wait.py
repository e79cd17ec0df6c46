"""A writer adds to whichever slot nobody holds, and makes a new one where all are held: none waits for another.

Before, each took the slot of its connection, and two with the same remainder waited for each other's commit: behind a
long transaction until the time-out.
"""

import importlib

from django.db import migrations

BEFORE = importlib.import_module("apps.core.migrations.0004_row_counts").COUNT.partition(
    "CREATE FUNCTION core_count_none"
)[0]

# Two statements: one that waits for nothing to find the slot, one whose snapshot is younger than the slot's lock. Two
# that make the same new slot are the one case in which one waits.
COUNT = r"""
CREATE OR REPLACE FUNCTION core_count_rows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    difference bigint;
    free bigint;
BEGIN
    SELECT count(*) INTO difference FROM changed;
    IF TG_OP = 'DELETE' THEN
        difference := -difference;
    END IF;
    IF difference <> 0 THEN
        SELECT id INTO free FROM core_row_count WHERE "table" = TG_TABLE_NAME LIMIT 1 FOR UPDATE SKIP LOCKED;
        IF FOUND THEN
            UPDATE core_row_count SET rows = rows + difference WHERE id = free;
        ELSE
            INSERT INTO core_row_count ("table", slot, rows)
                SELECT TG_TABLE_NAME, coalesce(max(slot) + 1, 0), difference FROM core_row_count
                    WHERE "table" = TG_TABLE_NAME
                ON CONFLICT ("table", slot) DO UPDATE SET rows = core_row_count.rows + difference;
        END IF;
    END IF;
    RETURN NULL;
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0004_row_counts")]

    operations = [
        migrations.RunSQL(COUNT, BEFORE.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")),
    ]
