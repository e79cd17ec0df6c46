"""The platform surface, one line a route, in the order of its contract page (contracts/platform.md)."""

from collections.abc import Sequence

from apps.flags.api.platform import TenantFlags
from apps.plans.api.platform import Plans
from apps.surfaces.kit.doors import Route, paths, route
from apps.tenants.api.platform import Tenants
from apps.users.api.platform import Users

ROUTES: Sequence[Route] = [
    route("GET /api/v1/platform/admin/users", Users, "list"),
    route("GET /api/v1/platform/admin/users/{id}", Users, "retrieve"),
    route("GET /api/v1/platform/admin/users/{id}/audit-trail", Users, "audit_trail"),
    route("POST /api/v1/platform/admin/users/{id}/suspend", Users, "suspend"),
    route("POST /api/v1/platform/admin/users/{id}/unsuspend", Users, "unsuspend"),
    route("POST /api/v1/platform/admin/users/{id}/revoke-sessions", Users, "revoke_sessions"),
    route("POST /api/v1/platform/admin/users/{id}/reset-password", Users, "reset_password"),
    route("PATCH /api/v1/platform/admin/users/{id}", Users, "partial_update"),
    route("DELETE /api/v1/platform/admin/users/{id}", Users, "destroy"),
    route("GET /api/v1/platform/admin/tenants", Tenants, "list"),
    route("GET /api/v1/platform/admin/tenants/{id}", Tenants, "retrieve"),
    route("PATCH /api/v1/platform/admin/tenants/{id}", Tenants, "partial_update"),
    route("POST /api/v1/platform/admin/tenants/test", Tenants, "create_test"),
    route("GET /api/v1/platform/admin/tenants/{id}/feature-flags", TenantFlags, "list"),
    route("PATCH /api/v1/platform/admin/tenants/{id}/feature-flags", TenantFlags, "update"),
    route("GET /api/v1/platform/admin/plans", Plans, "list"),
    route("GET /api/v1/platform/admin/plans/{id}", Plans, "retrieve"),
    route("POST /api/v1/platform/admin/plans", Plans, "create"),
    route("PUT /api/v1/platform/admin/plans/{id}", Plans, "update"),
    route("GET /api/v1/platform/admin/plans/{id}/impact", Plans, "impact"),
]

urlpatterns = paths(ROUTES)
