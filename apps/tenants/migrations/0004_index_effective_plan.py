"""The effective plan is never null; its index takes the place of the given plan's."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("tenants", "0003_fill_effective_plan")]

    operations = [
        migrations.AlterField(
            model_name="tenant",
            name="effective_plan",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="plans.plan",
            ),
        ),
        AddIndexConcurrently(
            model_name="tenant",
            index=models.Index(
                fields=["effective_plan", "-created_at", "-id"],
                include=["status"],
                name="tenant_by_effective_plan",
            ),
        ),
        RemoveIndexConcurrently(model_name="tenant", name="tenant_by_plan"),
    ]
