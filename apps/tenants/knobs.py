"""What an operator may turn about tenants."""

from apps.core import knobs

CANCELLED_DAYS = knobs.integer(
    "tenants.reinstatement_days",
    default=90,
    minimum=1,
    maximum=3650,
    section="Tenants",
    description="Days after its cancellation for which a tenant can be reinstated.",
)
