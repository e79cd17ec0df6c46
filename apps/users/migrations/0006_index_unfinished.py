"""Finds the erasures that are under way."""

from django.db import migrations, models

from apps.core.schema import BuildIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("users", "0005_count"),
    ]

    operations = [
        BuildIndex(
            model_name="usertombstone",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", True)),
                fields=["deleted_at"],
                name="tombstone_unfinished",
            ),
        ),
    ]
