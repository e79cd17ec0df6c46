"""Backfill, once only code that writes both columns runs."""

from django.db import migrations

from apps.core.schema import backfill


def fill(apps, schema_editor):
    backfill(schema_editor, "rollout_account", change="remark = note", where="remark IS NULL")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("rollout", "0002_expand")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
