"""Kept numbers of rows (apps.core.counts); the tables that are counted get their triggers in their own apps."""

from django.db import migrations, models

COUNT = r"""
CREATE FUNCTION core_count_rows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    difference bigint;
BEGIN
    SELECT count(*) INTO difference FROM changed;
    IF TG_OP = 'DELETE' THEN
        difference := -difference;
    END IF;
    IF difference <> 0 THEN
        INSERT INTO core_row_count ("table", slot, rows) VALUES (TG_TABLE_NAME, pg_backend_pid() % 64, difference)
            ON CONFLICT ("table", slot) DO UPDATE SET rows = core_row_count.rows + difference;
    END IF;
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
                ("slot", models.PositiveSmallIntegerField()),
                ("rows", models.BigIntegerField()),
            ],
            options={
                "db_table": "core_row_count",
                "constraints": [models.UniqueConstraint(fields=("table", "slot"), name="row_count_slot")],
            },
        ),
        migrations.RunSQL(COUNT, "DROP FUNCTION core_count_rows(); DROP FUNCTION core_count_none()"),
    ]
