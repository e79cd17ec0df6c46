"""What flags hold about a tenant: its overrides, and their lines in the histories."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db.models import Q

from apps.core import aspects
from apps.core.clock import iso, now
from apps.core.erasing.columns import register_remembered
from apps.flags.models import TOPIC, TenantOverride
from apps.flags.services import remove_tenant


def summary(tenant_id: UUID) -> dict[str, Any]:
    """How many flags the tenant is given against their rules."""
    in_force = Q(expires_at__isnull=True) | Q(expires_at__gt=now())
    return {"flag_overrides": TenantOverride.objects.filter(in_force, tenant_id=tenant_id).count()}


def export(tenant_id: UUID) -> Iterator[dict[str, Any]]:
    """The tenant's overrides."""
    rows = TenantOverride.objects.filter(tenant_id=tenant_id).select_related("flag").order_by("flag__key")
    for row in rows.iterator(500):
        yield {
            "flag": row.flag.key,
            "enabled": row.flag.given_by(row)[1],
            "variation": row.variation or None,
            "reason": row.reason,
            "expires_at": iso(row.expires_at) if row.expires_at else None,
            "updated_at": iso(row.updated_at),
        }


def install() -> None:
    """Registers the aspect, and what the snapshot holds (apps.flags.apps)."""
    register_remembered(TOPIC, "flags.Flag", "flags.Segment", "flags.TenantOverride")
    aspects.register(
        aspects.Aspect(
            name="flags",
            subject=aspects.Subject.TENANT,
            models=("flags.TenantOverride", "flags.FlagChange"),
            summary=summary,
            export=export,
            remove=remove_tenant,
        )
    )
