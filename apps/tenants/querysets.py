"""Where every read of tenants starts."""

from django.db.models import QuerySet

from apps.core.access import Reach, reach
from apps.core.principal import Principal
from apps.tenants.models import Tenant


def visible_to(principal: Principal, permission: str = "tenants.read") -> QuerySet[Tenant]:
    """The tenants that the caller may see under a permission; none without it. `qa` reaches test tenants."""
    how = reach(principal, permission)
    if how is Reach.ALL:
        return Tenant.objects.all()
    return Tenant.objects.filter(is_test=True) if how is Reach.TEST else Tenant.objects.none()


def reaches(principal: Principal, permission: str, *, is_test: bool) -> bool:
    """Whether `visible_to` would hold a tenant that was read already."""
    how = reach(principal, permission)
    return how is Reach.ALL or (how is Reach.TEST and is_test)
