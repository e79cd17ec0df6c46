"""Failed sign-ins are counted by the core now (core 0003); the table and its rows stay."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("users", "0002_reset_links"), ("core", "0003_failed_attempts")]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel(name="LoginFailure")]),
    ]
