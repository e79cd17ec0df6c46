"""Reads of approvals."""

from django.db.models import Q, QuerySet

from apps.approvals.models import ApprovalRequest
from apps.approvals.querysets import visible_to, waiting
from apps.approvals.registry import find_action, still_may
from apps.core.access import allows
from apps.core.principal import Principal


def requester_may(row: ApprovalRequest) -> bool:
    """Whether the person who asked could do it at this moment. Of a machine, and of what no app knows any longer,
    nothing is asked here."""
    known = find_action(row.action)
    if known is None or row.requested_by_user_id is None:
        return True
    return still_may(row.requested_by_user_id, known.permission)


def to_decide(principal: Principal) -> QuerySet[ApprovalRequest]:
    """What waits for the caller: others' requests, for whoever may decide; the oldest first."""
    if not allows(principal, "approvals.decide") or principal.user_id is None:
        return ApprovalRequest.objects.none()
    others = visible_to(principal).exclude(requested_by=principal.id)
    others = others.filter(Q(requested_by_user_id__isnull=True) | ~Q(requested_by_user_id=principal.user_id))
    return waiting(others).order_by("id")
