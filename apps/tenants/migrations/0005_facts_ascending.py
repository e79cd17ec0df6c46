"""Lists of tenants ascend by MRR and members too, with nulls last, which a descending index can't give backwards."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("tenants", "0004_index_effective_plan")]

    operations = [
        AddIndexConcurrently(
            model_name="tenantfacts",
            index=models.Index(F("mrr").asc(nulls_last=True), F("tenant_id").asc(), name="facts_by_mrr_up"),
        ),
        AddIndexConcurrently(
            model_name="tenantfacts",
            index=models.Index(
                F("members").asc(nulls_last=True), F("tenant_id").asc(), name="facts_by_members_up"
            ),
        ),
    ]
