"""Where every read of exports starts."""

from django.db.models import Q, QuerySet

from apps.core.access import allows
from apps.core.principal import Principal
from apps.exports.models import Export


def visible_to(principal: Principal) -> QuerySet[Export]:
    """One's own; by right everybody's."""
    if allows(principal, "exports.read_any"):
        return Export.objects.all()
    own = Q(requested_by=principal.id)
    if principal.user_id is not None:
        own |= Q(requested_by_user_id=principal.user_id)
    return Export.objects.filter(own)
