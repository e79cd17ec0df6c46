"""What the life of a tenant is told as (apps.core.events). Every payload has `tenant_id`, the UUID as text.

Handlers run after commit, at least once, in no promised order: read the present state, do not trust the name.
"""

PROVISIONED = "tenant.provisioned"
ACTIVATED = "tenant.activated"
SUSPENDED = "tenant.suspended"
REINSTATED = "tenant.reinstated"
CANCELLED = "tenant.cancelled"
TRIAL_EXTENDED = "tenant.trial_extended"
# Effective plan, limits or price are others now: override, lift, subscription.
TERMS_CHANGED = "tenant.terms_changed"
KEY_ROTATED = "tenant.key_rotated"
KEY_EXPIRED = "tenant.key_expired"
# Beside PROVISIONED, for a test tenant.
TEST_CREATED = "tenant.test_created"
# The row is gone; the tombstone stands.
PURGED = "tenant.purged"

# Raised by every change of a tenant's status, token stamp or keys: who keeps verdicts about a tenant's tokens
# and keys in memory drops them (apps.core.live).
ACCESS_TOPIC = "tenants.access"
# Raised by every change of what flags may ask of a tenant: that it is there, its plan, status, tags and country.
ATTRIBUTES_TOPIC = "tenants.attributes"
