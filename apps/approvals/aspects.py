"""What approvals hold about tenants and people."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db.models import Q

from apps.approvals.enums import ApprovalStatus
from apps.approvals.models import ApprovalRequest
from apps.approvals.services import erase_person, remove_tenant, sweep_person
from apps.core import aspects
from apps.core.clock import iso

_MODELS = ("approvals.ApprovalRequest",)


def tenant_summary(tenant_id: UUID) -> dict[str, Any]:
    """How many requests about the tenant wait."""
    waiting = ApprovalRequest.objects.filter(tenant_id=tenant_id, status=ApprovalStatus.PENDING)
    return {"approvals_waiting": waiting.count()}


def tenant_export(tenant_id: UUID) -> Iterator[dict[str, Any]]:
    """The requests about a tenant."""
    return _told(Q(tenant_id=tenant_id))


def person_export(person_id: UUID) -> Iterator[dict[str, Any]]:
    """The requests by and about a person."""
    return _told(Q(person_id=person_id) | Q(requested_by_user_id=person_id))


def _told(which: Q) -> Iterator[dict[str, Any]]:
    for row in ApprovalRequest.objects.filter(which).order_by("id").iterator(500):
        yield {
            "id": row.public_id,
            "action": row.action,
            "status": row.status,
            "reason": row.reason,
            "created_at": iso(row.created_at),
        }


def install() -> None:
    """Registers the aspects (apps.approvals.apps)."""
    aspects.register(
        aspects.Aspect(
            name="approvals",
            subject=aspects.Subject.TENANT,
            models=_MODELS,
            summary=tenant_summary,
            export=tenant_export,
            remove=remove_tenant,
        )
    )
    aspects.register(
        aspects.Aspect(
            name="approvals",
            subject=aspects.Subject.USER,
            models=_MODELS,
            export=person_export,
            remove=erase_person,
            sweep=sweep_person,
        )
    )
