"""Where every read of plans starts."""

from django.db.models import QuerySet

from apps.core.access import allows
from apps.core.principal import Principal
from apps.plans.models import Plan


def visible_to(principal: Principal, permission: str = "plans.read") -> QuerySet[Plan]:
    """All plans for who holds the permission (the catalogue is one for everybody, `qa` included), else none."""
    return Plan.objects.all() if allows(principal, permission) else Plan.objects.none()
