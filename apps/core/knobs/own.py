"""Knobs of the core itself."""

from apps.core.knobs.registry import integer

IDEMPOTENCY_HOURS = integer(
    "idempotency.retention_hours",
    default=24,
    minimum=24,
    maximum=168,
    section="Requests",
    description="Hours for which the answer of a request with an Idempotency-Key is kept, from its completion.",
)
JOB_DAYS = integer(
    "jobs.retention_days",
    default=30,
    minimum=1,
    maximum=365,
    section="Jobs",
    description="Days for which completed and failed jobs are kept.",
)
