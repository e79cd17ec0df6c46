"""The service surface, one line a route, in the order of its contract page (contracts/service.md)."""

from collections.abc import Sequence

from apps.configuration.api.service import ConfigLookUp, PlatformConfig
from apps.surfaces.kit.doors import Route, paths, route

ROUTES: Sequence[Route] = [
    route("GET /api/v1/admin/platform-config", PlatformConfig, "list"),
    route("POST /api/v1/admin/platform-config", PlatformConfig, "upsert"),
    route("GET /api/v1/admin/platform-config/{key}/history", PlatformConfig, "history"),
    route("DELETE /api/v1/admin/platform-config/{id}", PlatformConfig, "archive"),
    route("GET /internal/admin/config/{key}", ConfigLookUp, "retrieve"),
]

urlpatterns = paths(ROUTES)
