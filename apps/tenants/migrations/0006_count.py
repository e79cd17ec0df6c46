"""How many tenants there are, and how many live by each plan, is told without counting them."""

from django.db import migrations

from apps.core.counts import keep_count, keep_parts


class Migration(migrations.Migration):
    dependencies = [("tenants", "0005_facts_ascending"), ("core", "0004_row_counts")]

    operations = [
        keep_count("tenants_tenant"),
        keep_parts(
            "tenants_tenant",
            part="effective_plan_id",
            where="status <> 'cancelled'",
            watched=["effective_plan_id", "status"],
        ),
    ]
