"""The control surface, one line a route, in the order of its contract page (contracts/control.md)."""

from collections.abc import Sequence

from apps.identity.api.control import Platform
from apps.surfaces.kit.doors import Route, paths, route
from apps.tenants.api.control import Tenants

ROUTES: Sequence[Route] = [
    route("GET /v1/platform/health", Platform, "components"),
    route("GET /health", Platform, "alive"),
    route("GET /v1/platform/info", Platform, "info"),
    route("GET /v1/tenants", Tenants, "list"),
    route("GET /v1/tenants/{tenantId}", Tenants, "retrieve"),
]

urlpatterns = paths(ROUTES)
