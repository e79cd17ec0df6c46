"""Where every read of approvals starts."""

from django.db.models import Q, QuerySet

from apps.approvals.enums import ApprovalStatus
from apps.approvals.models import ApprovalRequest
from apps.core.access import allows
from apps.core.clock import now
from apps.core.principal import Principal


def visible_to(principal: Principal) -> QuerySet[ApprovalRequest]:
    """All of them by right; everybody's own without."""
    if allows(principal, "approvals.read"):
        return ApprovalRequest.objects.all()
    own = Q(requested_by=principal.id)
    if principal.user_id is not None:
        own |= Q(requested_by_user_id=principal.user_id)
    return ApprovalRequest.objects.filter(own)


def waiting(rows: QuerySet[ApprovalRequest]) -> QuerySet[ApprovalRequest]:
    """Those that can still be decided."""
    return rows.filter(status=ApprovalStatus.PENDING, expires_at__gt=now())
