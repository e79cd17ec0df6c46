"""Contract, once no code knows the old column."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("rollout", "0005_unique")]
    operations = [migrations.RemoveField("account", "note")]
