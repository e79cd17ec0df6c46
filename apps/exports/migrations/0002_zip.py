"""Exports as ZIP files."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("exports", "0001_exports"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="export",
            name="export_format",
        ),
        migrations.AlterField(
            model_name="export",
            name="format",
            field=models.CharField(choices=[("csv", "CSV"), ("json", "JSON"), ("zip", "ZIP")], max_length=4),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.CheckConstraint(
                condition=models.Q(("format__in", ["csv", "json", "zip"])), name="export_format"
            ),
        ),
    ]
