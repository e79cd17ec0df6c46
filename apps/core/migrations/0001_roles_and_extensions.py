"""What every table of the application stands on: trigrams for substring search, and the rights of the role that serves.

The owner migrates; the application's role reads and writes rows, and owns nothing. Tables made later by the
owner get the same rights by default; the audit tables take them away again (audit 0002).
"""

from django.conf import settings
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations

RIGHTS = [
    "GRANT USAGE ON SCHEMA public TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    "REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role}",
]


def grant(apps, schema_editor):
    role = schema_editor.quote_name(settings.APPLICATION_DATABASE_ROLE)
    for statement in RIGHTS:
        schema_editor.execute(statement.format(role=role))


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        TrigramExtension(),
        migrations.RunPython(grant, migrations.RunPython.noop),
    ]
