"""Knobs of approvals; each action has one of its own (apps.approvals.registry)."""

from apps.core.knobs import integer

EXPIRY_HOURS = integer(
    "approvals.expiry_hours",
    default=24,
    minimum=1,
    maximum=720,
    section="Approvals",
    description="Hours after which a request that nobody decided upon expires.",
)
