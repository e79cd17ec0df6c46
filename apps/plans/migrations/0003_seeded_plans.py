"""The eight plans that a fresh installation has (apps.plans.catalogue)."""

from django.db import migrations

from apps.plans.catalogue import SEEDED


def plant(apps, schema_editor):
    alias = schema_editor.connection.alias
    plans = apps.get_model("plans", "Plan").objects.using(alias)
    versions = apps.get_model("plans", "PlanVersion").objects.using(alias)
    for seed in SEEDED:
        plan, made = plans.get_or_create(
            slug=seed.slug,
            defaults={
                "id": seed.id,
                "name": seed.name,
                "description": seed.description,
                "price_monthly": seed.price_monthly,
                "price_yearly": seed.price_yearly,
                "trial_days": seed.trial_days,
            },
        )
        if made:
            versions.create(
                plan=plan,
                version=1,
                limits=seed.limits,
                features=seed.features,
                capabilities=seed.capabilities,
            )


class Migration(migrations.Migration):
    dependencies = [("plans", "0002_minimum_version")]

    operations = [migrations.RunPython(plant, migrations.RunPython.noop)]
