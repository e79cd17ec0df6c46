"""Subscribers of a replaced version are served by a newer one."""

from django.db import migrations, models
from django.db.models import F


class Migration(migrations.Migration):
    dependencies = [("plans", "0001_catalogue")]

    operations = [
        migrations.AddField(
            model_name="plan",
            name="minimum_version",
            field=models.PositiveIntegerField(
                db_default=1, default=1, help_text="subscribers of an older version are served by this one"
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(("minimum_version__gte", 1), ("minimum_version__lte", F("version"))),
                name="plan_versions_in_order",
            ),
        ),
    ]
