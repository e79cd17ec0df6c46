"""Kept numbers of rows (apps.core.counts); the tables that are counted get their triggers in their own apps."""

from django.db import migrations, models

# A writer adds to whichever slot nobody holds, and makes a new one where all are held: none waits for another. Two
# statements: one that waits for nothing to find the slot, one whose snapshot is younger than the slot's lock. Two that
# make the same new slot are the one case in which one waits.
COUNT = r"""
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
CREATE FUNCTION core_count_rows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    difference bigint;
BEGIN
    SELECT count(*) INTO difference FROM changed;
    PERFORM core_count_add(TG_TABLE_NAME, '', CASE TG_OP WHEN 'DELETE' THEN -difference ELSE difference END);
    RETURN NULL;
END
$$;
CREATE FUNCTION core_count_none() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM core_row_count WHERE "table" = TG_TABLE_NAME;
    RETURN NULL;
END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0003_failed_attempts")]

    operations = [
        migrations.CreateModel(
            name="RowCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("table", models.CharField(max_length=63)),
                ("part", models.CharField(blank=True, db_default="", default="", max_length=63)),
                ("slot", models.PositiveSmallIntegerField()),
                ("rows", models.BigIntegerField()),
            ],
            options={
                "db_table": "core_row_count",
                "constraints": [
                    models.UniqueConstraint(fields=("table", "part", "slot"), name="row_count_slot")
                ],
            },
        ),
        migrations.RunSQL(
            COUNT,
            "DROP FUNCTION core_count_rows(); DROP FUNCTION core_count_none(); DROP FUNCTION core_count_add(text, text, bigint)",
        ),
    ]
