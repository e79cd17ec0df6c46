"""What operators turn."""

from apps.core.knobs.registry import integer

SAMPLE_DAYS = integer(
    "health.sample_retention_days",
    default=7,
    minimum=1,
    maximum=90,
    section="Health",
    description="Days for which the answers of health sources are kept, for the uptime bars.",
)
