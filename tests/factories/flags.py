"""Flags, segments and overrides."""

from typing import Any

from apps.flags.models import Flag, Segment, TenantOverride
from apps.tenants.models import Tenant

BOOLEAN = [{"key": "on", "value": True}, {"key": "off", "value": False}]


def make_flag(key: str = "checkout", **columns: Any) -> Flag:
    """A boolean flag that is off, unless columns say otherwise."""
    return Flag.objects.create(**{"key": key, "variations": BOOLEAN, "salt": key, **columns})


def make_segment(key: str = "europeans", **columns: Any) -> Segment:
    """Tenants of three countries, unless columns say otherwise."""
    conditions = [{"attribute": "country", "operator": "in", "value": ["DE", "FR", "IT"]}]
    return Segment.objects.create(**{"key": key, "conditions": conditions, **columns})


def make_override(flag: Flag, tenant: Tenant, **columns: Any) -> TenantOverride:
    """The flag is on for the tenant, unless columns say otherwise."""
    return TenantOverride.objects.create(
        **{"flag": flag, "tenant": tenant, "enabled": True, "set_by": "tests", **columns}
    )
