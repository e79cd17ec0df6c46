"""Not only how many rows a table has is kept, but also how many each part of it has."""

import importlib

from django.db import migrations, models

BEFORE = importlib.import_module("apps.core.migrations.0005_counts_never_wait").COUNT

ADD = r"""
CREATE FUNCTION core_count_add(counted text, its_part text, difference bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    free bigint;
BEGIN
    IF difference <> 0 THEN
        SELECT id INTO free FROM core_row_count WHERE "table" = counted AND part = its_part
            LIMIT 1 FOR UPDATE SKIP LOCKED;
        IF FOUND THEN
            UPDATE core_row_count SET rows = rows + difference WHERE id = free;
        ELSE
            INSERT INTO core_row_count ("table", part, slot, rows)
                SELECT counted, its_part, coalesce(max(slot) + 1, 0), difference FROM core_row_count
                    WHERE "table" = counted AND part = its_part
                ON CONFLICT ("table", part, slot) DO UPDATE SET rows = core_row_count.rows + difference;
        END IF;
    END IF;
END
$$;
CREATE OR REPLACE FUNCTION core_count_rows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    difference bigint;
BEGIN
    SELECT count(*) INTO difference FROM changed;
    PERFORM core_count_add(TG_TABLE_NAME, '', CASE TG_OP WHEN 'DELETE' THEN -difference ELSE difference END);
    RETURN NULL;
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0005_counts_never_wait")]

    operations = [
        migrations.AddField(
            "RowCount", "part", models.CharField(blank=True, db_default="", default="", max_length=63)
        ),
        # Of a table with a few rows for each table that is counted: no long lock.
        migrations.RemoveConstraint("RowCount", "row_count_slot"),
        migrations.AddConstraint(
            "RowCount", models.UniqueConstraint(fields=("table", "part", "slot"), name="row_count_slot")
        ),
        migrations.RunSQL(ADD, BEFORE + "DROP FUNCTION core_count_add(text, text, bigint);"),
    ]
