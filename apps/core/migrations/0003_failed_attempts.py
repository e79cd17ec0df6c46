"""Counting failed attempts moves here from the app `users`; the table stays as it is."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0002_jobs")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="FailedAttempt",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        ("kind", models.CharField(max_length=12)),
                        ("account", models.BinaryField(max_length=32)),
                        ("address", models.GenericIPAddressField(null=True)),
                    ],
                    options={
                        "db_table": "users_login_failure",
                        "indexes": [
                            models.Index(fields=["kind", "account", "-at"], name="login_failure_account"),
                            models.Index(fields=["kind", "address", "-at"], name="login_failure_address"),
                        ],
                    },
                ),
            ],
        ),
    ]
