"""Two at once: real transactions in real threads."""

import threading
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection

from apps.audit.models import AuditEntry
from apps.core.errors import DomainError
from apps.tenants.errors import AlreadyInStatus, SlugTaken
from apps.tenants.models import PlanOverride, StatusChange, Tenant
from apps.tenants.services import override_plan, provision_tenant, suspend_tenant
from apps.tenants.terms import PlanTerms
from tests.factories import actor, make_tenant


def at_once(*works: Callable[[], object]) -> list[object]:
    """Runs them in threads that start together; results or refusals, in order."""
    gate = threading.Barrier(len(works))
    found: list[object] = [None] * len(works)

    def run(number: int, work: Callable[[], object]) -> None:
        gate.wait(timeout=10)
        try:
            found[number] = work()
        except DomainError as failure:
            found[number] = failure
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return found


@pytest.mark.django_db(transaction=True)
def test_overrides_at_once_leave_one_in_force() -> None:
    tenant = make_tenant("starter")
    prices = [Decimal(number) for number in range(1, 7)]
    found = at_once(
        *(
            lambda price=price: override_plan(
                actor=actor(), tenant_id=tenant.id, terms=PlanTerms(plan="pro", price_monthly=price)
            )
            for price in prices
        )
    )
    assert all(isinstance(result, Tenant) for result in found), found
    assert PlanOverride.objects.filter(tenant=tenant).count() == len(prices)
    assert PlanOverride.objects.filter(tenant=tenant, lifted_at__isnull=True).count() == 1
    fresh = Tenant.objects.get(id=tenant.id)
    assert (fresh.effective_plan.slug, fresh.version) == ("pro", 1 + len(prices))
    assert AuditEntry.objects.filter(tenant_id=tenant.id).count() == len(prices)


@pytest.mark.django_db(transaction=True)
def test_suspensions_at_once_are_one() -> None:
    tenant = make_tenant()
    found = at_once(*[lambda: suspend_tenant(actor=actor(), tenant_id=tenant.id)] * 5)
    assert sum(isinstance(result, Tenant) for result in found) == 1
    assert sum(isinstance(result, AlreadyInStatus) for result in found) == 4
    assert StatusChange.objects.filter(tenant=tenant).count() == 1
    assert AuditEntry.objects.filter(tenant_id=tenant.id).count() == 1


@pytest.mark.django_db(transaction=True)
def test_provisionings_of_one_slug_at_once_make_one_tenant() -> None:
    def provision() -> object:
        return provision_tenant(
            actor=actor(), company_name="Acme", owner_email="a@acme.example", plan="free", slug="acme"
        )

    found = at_once(*[provision] * 4)
    assert sum(isinstance(result, SlugTaken) for result in found) == 3, found
    assert Tenant.objects.filter(slug="acme").count() == 1
