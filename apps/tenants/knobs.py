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
TEST_CLEANUP_DAYS = knobs.integer(
    "tenants.test_cleanup_days",
    default=30,
    minimum=1,
    maximum=90,
    section="Tenants",
    description="Days after which a test tenant is removed where its maker names none.",
)
