"""Enforce: every row has a remark. The old column may stay away, for the code that no longer knows it."""

from django.db import migrations, models

from apps.core.schema import EnforceNotNull


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("rollout", "0003_fill")]
    operations = [
        EnforceNotNull("account", "remark", models.CharField(max_length=100)),
        migrations.AlterField("account", "note", models.CharField(max_length=100, null=True)),
    ]
