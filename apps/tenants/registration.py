"""What this app tells the others about itself, once Django has loaded the models."""

from apps.core import aspects
from apps.plans import subscribers
from apps.tenants import facts, sample_data
from apps.tenants.aspects import JOBS, OWN, count_workspaces
from apps.tenants.services.test_tenants import make_workspaces
from apps.tenants.subscribers import Tenants


def install() -> None:
    """Called by `apps.py` when Django is ready."""
    aspects.register(OWN)
    aspects.register(JOBS)
    facts.own("workspaces", count_workspaces)
    sample_data.register("tenants.workspaces", make_workspaces, order=10)
    subscribers.register(Tenants())
