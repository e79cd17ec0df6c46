"""Flags on the surface `service` (contracts/service.md, sections 2, 3 and 5)."""

from apps.flags.api.service.evaluating import InternalFlags, TenantFlags
from apps.flags.api.service.managing import Flags
from apps.flags.api.service.overriding import Overrides
from apps.flags.api.service.scheduling import Schedule
from apps.flags.api.service.segmenting import Segments

__all__ = ["Flags", "InternalFlags", "Overrides", "Schedule", "Segments", "TenantFlags"]
