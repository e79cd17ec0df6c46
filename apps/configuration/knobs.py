"""The shipped catalogue, as far as no lower or higher app declares its own knobs.

A key is `tenant.…` where a tenant may have a value of its own. The two keys of governance bear the names that the
surface `automation` gives them (contracts/automation.md, "Platform settings").
"""

from typing import Any

from apps.core.knobs import choice, integer, json, number

SESSIONS, LOGS, ROTATION, TRIALS, GOVERNANCE = "Sessions", "Logs", "Rotation", "Trials", "Governance"


def _reminder_days(value: Any) -> str | None:
    """A list of different days before the end of a trial."""
    days = value if isinstance(value, list) else None
    if days is None or not all(type(day) is int and 1 <= day <= 90 for day in days):
        return "The value must be a list of days before the end, each 1 to 90, like [7,3,1]."
    if len(days) > 10 or len(set(days)) != len(days):
        return "At most 10 days, each once."
    return None


GLOBAL_SESSION_IDLE_MINUTES = integer(
    "global.session_idle_minutes",
    default=30,
    minimum=5,
    maximum=1440,
    section=SESSIONS,
    description="Minutes without a request after which a session of our staff ends.",
)
TENANT_SESSION_IDLE_MINUTES = integer(
    "tenant.session_idle_minutes",
    default=30,
    minimum=5,
    maximum=1440,
    section=SESSIONS,
    tenants_too=True,
    description="Minutes without a request after which a session of a tenant's person ends.",
)
LOG_RETENTION_DAYS = integer(
    "logs.retention_days",
    default=30,
    minimum=1,
    maximum=3650,
    section=LOGS,
    description="Days for which log records are kept.",
)
REQUEST_SAMPLE_RATE = number(
    "logs.request_sample_rate",
    default=0.1,
    minimum="0",
    maximum="1",
    section=LOGS,
    description="Share of successful requests that the request log keeps; failed ones are always kept.",
)
PRUNE_THRESHOLD_DAYS = integer(
    "logs.prune_threshold_days",
    default=90,
    minimum=1,
    maximum=3650,
    section=LOGS,
    description="Age in days from which usage buckets and request logs are pruned.",
)
ROTATION_SSH_DAYS = integer(
    "tenant.rotation_ssh_days",
    default=90,
    minimum=30,
    maximum=365,
    section=ROTATION,
    tenants_too=True,
    description="Days after which SSH keys are rotated.",
)
ROTATION_SMTP_DAYS = integer(
    "tenant.rotation_smtp_days",
    default=180,
    minimum=30,
    maximum=730,
    section=ROTATION,
    tenants_too=True,
    description="Days after which SMTP credentials are rotated.",
)
ROTATION_DKIM_DAYS = integer(
    "tenant.rotation_dkim_days",
    default=365,
    minimum=30,
    maximum=1095,
    section=ROTATION,
    tenants_too=True,
    description="Days after which DKIM keys are rotated.",
)
TRIAL_DAYS = integer(
    "trials.default_days",
    default=14,
    minimum=1,
    maximum=365,
    section=TRIALS,
    description="Length of a trial in days where the plan names none.",
)
TRIAL_REMINDER_DAYS = json(
    "trials.reminder_days",
    default=[7, 3, 1],
    check=_reminder_days,
    section=TRIALS,
    description="On which days before the end of a trial its owner is reminded.",
)
GOVERNANCE_SCAN_MODE = choice(
    "governance_scan_mode",
    default="serial",
    choices=("serial", "parallel"),
    section=GOVERNANCE,
    description="Whether governance scans of one tenant run one after the other or side by side.",
)
GOVERNANCE_PARALLEL_LIMIT = integer(
    "governance_parallel_limit",
    default=3,
    minimum=1,
    maximum=20,
    section=GOVERNANCE,
    description="How many governance scans of one tenant run side by side in the parallel mode.",
)
