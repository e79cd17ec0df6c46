"""The functions of the owner look for tables in temporary schemas last.

Where the path does not name `pg_temp`, it is searched before everything else: the application's role could put tables
of its own under the names of the trail, and have rows written there, or its triggers run with the owner's rights.
"""

from django.db import migrations

FUNCTIONS = ("audit_append(jsonb)", "audit_shred(uuid, text[], text, jsonb)")


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_shred")]

    operations = [
        migrations.RunSQL(
            f"ALTER FUNCTION {name} SET search_path = pg_catalog, public, pg_temp",
            f"ALTER FUNCTION {name} SET search_path = pg_catalog, public",
        )
        for name in FUNCTIONS
    ]
