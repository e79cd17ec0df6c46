"""What an operator may turn about flags."""

from apps.core import knobs

_SECTION = "Feature flags"

STALE_DAYS = knobs.integer(
    "flags.stale_days",
    default=30,
    minimum=1,
    maximum=3650,
    section=_SECTION,
    description="Days without a change, or without an evaluation, after which a flag may count as stale.",
)
USAGE_DAYS = knobs.integer(
    "flags.usage_retention_days",
    default=90,
    minimum=7,
    maximum=3650,
    section=_SECTION,
    description="Days for which counts of evaluations are kept.",
)
