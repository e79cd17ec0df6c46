"""Lists tell how many people there are without counting them."""

from django.db import migrations

from apps.core.counts import keep_count


class Migration(migrations.Migration):
    dependencies = [("users", "0004_erasure"), ("core", "0004_row_counts")]

    operations = [keep_count("users_user")]
