"""The catalogue tells how many live by each plan without counting them."""

from django.db import migrations

from apps.core.counts import keep_parts


class Migration(migrations.Migration):
    dependencies = [("tenants", "0007_receipts"), ("core", "0006_counted_parts")]

    operations = [
        keep_parts(
            "tenants_tenant",
            part="effective_plan_id",
            where="status <> 'cancelled'",
            watched=["effective_plan_id", "status"],
        )
    ]
