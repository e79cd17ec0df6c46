"""Expand: the new column, nullable. The old code knows nothing of it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rollout", "0001_accounts")]
    operations = [
        migrations.AddField("account", "remark", models.CharField(max_length=100, null=True)),
    ]
