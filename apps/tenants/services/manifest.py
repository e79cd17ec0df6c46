"""What the stores of a tenant hold, counted by their tables: what a purge found, and that nothing is left."""

from uuid import UUID

from django.apps import apps
from django.db.models import Model

from apps.core.aspects import Aspect, Subject, registry

# What stays of a purged tenant.
_STAYS = frozenset({"tenants.Purge", "tenants.TenantTombstone"})
_TENANT = "tenants.Tenant"


def count_store(aspect: Aspect, tenant_id: UUID) -> int:
    """Rows of the aspect's tables that name the tenant, by a column `tenant_id`."""
    return sum(_count(apps.get_model(label), tenant_id) for label in aspect.models if label not in _STAYS)


def _count(model: type[Model], tenant_id: UUID) -> int:
    options = model._meta  # noqa: SLF001  Django's documented way to a model's fields
    named = [field.attname for field in options.concrete_fields if field.column == "tenant_id"]
    if options.label == _TENANT:
        named = ["pk"]
    rows = model._default_manager.all()  # noqa: SLF001  Django's documented way to any model's manager
    return rows.filter(**{named[0]: tenant_id}).count() if named else 0


def left_over(tenant_id: UUID) -> dict[str, int]:
    """Rows that are left in each store that holds any."""
    counts = {aspect.name: count_store(aspect, tenant_id) for aspect in registry.of(Subject.TENANT)}
    return {name: count for name, count in counts.items() if count}
