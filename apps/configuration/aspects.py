"""What the configuration holds about a tenant."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from apps.configuration.models import ConfigChange, ConfigValue
from apps.configuration.services import remove_tenant
from apps.configuration.snapshot import TOPIC
from apps.core import aspects
from apps.core.clock import iso
from apps.core.erasing.columns import register_remembered


def summary(tenant_id: UUID) -> dict[str, Any]:
    """How many keys the tenant has values of its own for."""
    return {
        "configuration_values": ConfigValue.objects.filter(tenant_id=tenant_id, is_archived=False).count()
    }


def export(tenant_id: UUID) -> Iterator[dict[str, Any]]:
    """The tenant's values, those that were set before too; secrets stay masked."""
    rows = ConfigChange.objects.filter(tenant_id=tenant_id).order_by("id")
    for row in rows.iterator(500):
        yield {
            "key": row.key,
            "old_value": row.old_shown,
            "new_value": row.new_shown,
            "changed_at": iso(row.changed_at),
        }


def install() -> None:
    """Registers the aspect, and what the snapshot holds (apps.configuration.apps)."""
    register_remembered(TOPIC, "configuration.ConfigValue", "configuration.DeclaredKey")
    aspects.register(
        aspects.Aspect(
            name="configuration",
            subject=aspects.Subject.TENANT,
            models=("configuration.ConfigValue", "configuration.ConfigChange"),
            summary=summary,
            export=export,
            remove=remove_tenant,
        )
    )
