"""What a purge found, and the hash of its receipt."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0006_count"),
    ]

    operations = [
        migrations.AddField(
            model_name="purge",
            name="found",
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="purge",
            name="receipt_sha256",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
    ]
