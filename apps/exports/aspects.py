"""What exports hold about tenants and people."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db.models import Q

from apps.core import aspects
from apps.core.clock import iso
from apps.exports.models import Export
from apps.exports.services import remove_files_of_tenant, remove_tenant, sweep_person

_MODELS = ("exports.Export",)


def tenant_export(tenant_id: UUID) -> Iterator[dict[str, Any]]:
    """What was asked for about the tenant."""
    return _told(Q(tenant_id=tenant_id))


def person_export(person_id: UUID) -> Iterator[dict[str, Any]]:
    """What the person asked for."""
    return _told(Q(requested_by_user_id=person_id))


def _told(which: Q) -> Iterator[dict[str, Any]]:
    for row in Export.objects.filter(which).order_by("id").iterator(500):
        yield {"id": row.public_id, "kind": row.kind, "status": row.status, "created_at": iso(row.created_at)}


def install() -> None:
    """Registers the aspects (apps.exports.apps). Files go before what they were made of."""
    aspects.register(
        aspects.Aspect(
            name="exports",
            subject=aspects.Subject.TENANT,
            models=_MODELS,
            export=tenant_export,
            outside=remove_files_of_tenant,
            remove=remove_tenant,
            order=50,
        )
    )
    aspects.register(
        aspects.Aspect(
            name="exports",
            subject=aspects.Subject.USER,
            models=_MODELS,
            export=person_export,
            sweep=sweep_person,
            order=50,
        )
    )
