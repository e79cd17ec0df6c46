"""The only way to change something.

    with write("tenant.suspend", actor=actor, target=Target.of(tenant), reason=reason) as w:
        ...
        w.changed(before={...}, after={...})
        w.publish("tenant.suspended", tenant_id=...)

An inner write joins the outer one. The outermost exit writes, in one transaction and in this order: events and
jobs, revisions of live topics, the idempotent response, the audit row. Exactly one audit row for each outermost
write. Nothing in it goes over the network.
"""

from apps.core.write.entries import Entry, Outcome, Target
from apps.core.write.unit import Unit, Write, current_unit, record_denied, unit, write

__all__ = ["Entry", "Outcome", "Target", "Unit", "Write", "current_unit", "record_denied", "unit", "write"]
