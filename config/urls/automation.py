"""The automation surface, one line a route, in the order of its contract page (contracts/automation.md)."""

from collections.abc import Sequence

from apps.configuration.api.automation import PlatformSettings
from apps.surfaces.kit.doors import Route, paths, route
from apps.surfaces.reference import Reference
from apps.tenants.api.automation import Tenants

ROUTES: Sequence[Route] = [
    route("GET /admin/tenants", Tenants, "list"),
    route("GET /admin/tenants/{tenant_id}", Tenants, "retrieve"),
    route("GET /admin/platform-config", PlatformSettings, "retrieve"),
    route("POST /admin/platform-config", PlatformSettings, "update"),
    route("GET /admin/docs", Reference, "page"),
    route("GET /admin/docs/data", Reference, "data"),
]

urlpatterns = paths(ROUTES)
