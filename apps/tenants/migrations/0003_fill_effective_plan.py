"""Tenants from before have no override or subscription that was ever resolved: their given plan is in force."""

from django.db import migrations, transaction
from django.db.models import F

_BATCH = 5_000


def fill(apps, schema_editor):
    alias = schema_editor.connection.alias
    tenants = apps.get_model("tenants", "Tenant").objects.using(alias)
    unfilled = tenants.filter(effective_plan__isnull=True)
    while ids := list(unfilled.values_list("id", flat=True)[:_BATCH]):
        with transaction.atomic(using=alias):
            tenants.filter(id__in=ids).update(effective_plan_id=F("plan_id"))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("tenants", "0002_effective_plan")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
