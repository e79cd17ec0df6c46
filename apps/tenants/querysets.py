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
