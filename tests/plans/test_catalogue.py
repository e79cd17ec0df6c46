"""The seeded plans: there after migrating, complete, and never overwritten."""

import pytest

from apps.audit.models import AuditEntry
from apps.plans.catalogue import SEEDED
from apps.plans.limits import CAPABILITIES, FEATURES, LIMITS
from apps.plans.models import Plan, PlanVersion
from apps.plans.services import seed_plans
from tests.factories import actor

SLUGS = ["free", "free_trial", "starter", "growth", "pro", "professional", "regulated", "enterprise"]
# contracts/control.md, "Plans": workspaces, tables, collections, functions, storage GB, API calls.
CONTROL = {
    "starter": (3, 20, 10, 5, 5, 50_000),
    "growth": (10, 100, 50, 25, 50, 500_000),
    "regulated": (25, 500, 200, 100, 500, 5_000_000),
    "enterprise": (None, None, None, None, None, None),
}


@pytest.mark.django_db
def test_fresh_database_has_the_eight_plans_with_every_limit_and_feature() -> None:
    assert sorted(Plan.objects.values_list("slug", flat=True)) == sorted(SLUGS)
    for version in PlanVersion.objects.select_related("plan"):
        assert set(version.limits) == set(LIMITS), version.plan.slug
        assert set(version.features) == set(FEATURES), version.plan.slug
        assert set(version.capabilities) <= set(CAPABILITIES), version.plan.slug
        assert all(value is None or value > 0 for value in version.limits.values())


@pytest.mark.django_db
@pytest.mark.parametrize("slug", CONTROL)
def test_seeded_plan_has_the_figures_of_the_contract(slug: str) -> None:
    version = PlanVersion.objects.get(plan__slug=slug, version=1)
    keys = [
        "max_workspaces",
        "max_sql_tables",
        "max_document_collections",
        "max_functions",
        "max_storage_gb",
        "max_api_calls_per_month",
    ]
    assert tuple(version.limits[key] for key in keys) == CONTROL[slug]
    grown = slug != "starter"
    for capability in ("identity", "observability", "audit"):
        assert (capability in version.capabilities) is grown
    assert {"postgres", "mongo", "kafka", "storage", "functions"} <= set(version.capabilities)


def test_seeded_ids_are_fixed_and_of_version_7() -> None:
    assert len({seed.id for seed in SEEDED}) == len(SLUGS)
    assert all(seed.id.version == 7 for seed in SEEDED)


@pytest.mark.django_db
def test_seeding_again_adds_what_is_missing_and_leaves_the_rest() -> None:
    Plan.objects.get(slug="pro").delete()
    Plan.objects.filter(slug="growth").update(price_monthly=1)
    assert [plan.slug for plan in seed_plans(actor=actor())] == ["pro"]
    assert seed_plans(actor=actor()) == []
    assert Plan.objects.get(slug="growth").price_monthly == 1
    assert PlanVersion.objects.filter(plan__slug="pro").count() == 1
    assert AuditEntry.objects.filter(action="plan.seed").count() == 2
