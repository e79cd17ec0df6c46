"""Changes of tenants: one function, one use case."""

from apps.tenants.services.keys import IssuedKey, expire_key, rotate_key
from apps.tenants.services.overrides import (
    change_overrides,
    end_overrides,
    lift_billing_override,
    lift_plan_override,
    override_billing,
    override_plan,
)
from apps.tenants.services.provisioning import Provisioned, provision_tenant
from apps.tenants.services.purging import purge_expired_tests, resume_purges, run_purge, start_purge
from apps.tenants.services.status import (
    activate_tenant,
    cancel_tenant,
    extend_trial,
    reinstate_tenant,
    suspend_tenant,
)
from apps.tenants.services.test_tenants import MadeTestTenant, create_test_tenant, login_url

__all__ = [
    "IssuedKey",
    "MadeTestTenant",
    "Provisioned",
    "activate_tenant",
    "cancel_tenant",
    "change_overrides",
    "create_test_tenant",
    "end_overrides",
    "expire_key",
    "extend_trial",
    "lift_billing_override",
    "lift_plan_override",
    "login_url",
    "override_billing",
    "override_plan",
    "provision_tenant",
    "purge_expired_tests",
    "reinstate_tenant",
    "resume_purges",
    "rotate_key",
    "run_purge",
    "start_purge",
    "suspend_tenant",
]
