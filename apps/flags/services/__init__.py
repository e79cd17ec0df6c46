"""Writes: flags, overrides, segments, scheduled changes, usage.

Where a flag needs a second person (`needs_approval`), call `apps.flags.services.approved.change` instead: it does
the same, or asks for one.
"""

from apps.flags.services.flags import FlagFields, archive_flag, create_flag, restore_version, update_flag
from apps.flags.services.overrides import (
    OverrideFields,
    remove_expired_overrides,
    remove_override,
    remove_tenant,
    set_override,
    set_overrides_of_tenant,
)
from apps.flags.services.schedule import apply_scheduled, cancel_scheduled, schedule_change
from apps.flags.services.segments import create_segment, delete_segment, update_segment
from apps.flags.services.staleness import find_settled
from apps.flags.services.usage import Count, add_counts, prune_usage, record_usage

__all__ = [
    "Count",
    "FlagFields",
    "OverrideFields",
    "add_counts",
    "apply_scheduled",
    "archive_flag",
    "cancel_scheduled",
    "create_flag",
    "create_segment",
    "delete_segment",
    "find_settled",
    "prune_usage",
    "record_usage",
    "remove_expired_overrides",
    "remove_override",
    "remove_tenant",
    "restore_version",
    "schedule_change",
    "set_override",
    "set_overrides_of_tenant",
    "update_flag",
    "update_segment",
]
