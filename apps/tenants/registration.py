"""What this app tells the others about itself, once Django has loaded the models."""

from apps.core import aspects, ids
from apps.core.erasing.columns import register_remembered
from apps.exports.subjects import export_subject
from apps.plans import subscribers
from apps.tenants import facts, sample_data
from apps.tenants.aspects import JOBS, OWN, count_workspaces
from apps.tenants.events import ATTRIBUTES_TOPIC
from apps.tenants.models import Tenant
from apps.tenants.services.test_tenants import make_workspaces
from apps.tenants.subscribers import Tenants


def install() -> None:
    """Called by `apps.py` when Django is ready."""
    aspects.register(OWN)
    aspects.register(JOBS)
    register_remembered(ATTRIBUTES_TOPIC, "tenants.Tenant")
    export_subject(
        aspects.Subject.TENANT,
        name="tenant_data",
        title="All data of a tenant",
        prefix=ids.TENANT,
        exists=lambda tenant_id: Tenant.objects.filter(id=tenant_id).exists(),
    )
    facts.own("workspaces", count_workspaces)
    sample_data.register("tenants.workspaces", make_workspaces, order=10)
    subscribers.register(Tenants())
