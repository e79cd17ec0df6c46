"""The effective plan beside the tenant, so that lists filter by it; filled in 0003, enforced in 0004."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_tenants"), ("plans", "0003_seeded_plans")]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="effective_plan",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="plans.plan",
            ),
        ),
        migrations.AddField(
            model_name="tenant",
            name="effective_version",
            field=models.PositiveIntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name="billingoverride",
            name="previous_trial_ends_at",
            field=models.DateTimeField(null=True),
        ),
    ]
