"""Lists tell how many tenants there are without counting them."""

from django.db import migrations

from apps.core.counts import keep_count


class Migration(migrations.Migration):
    dependencies = [("tenants", "0005_facts_ascending"), ("core", "0004_row_counts")]

    operations = [keep_count("tenants_tenant")]
