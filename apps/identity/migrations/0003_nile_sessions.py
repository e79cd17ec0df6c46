"""When sessions of Nile were first seen."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("identity", "0002_external_identities")]

    operations = [
        migrations.CreateModel(
            name="NileSession",
            fields=[
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("first_seen_at", models.DateTimeField(db_index=True)),
                (
                    "identity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="identity.externalidentity",
                    ),
                ),
            ],
            options={"db_table": "identity_nile_session"},
        ),
    ]
