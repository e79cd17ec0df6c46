"""The service surface, one line a route, in the order of its contract page (contracts/service.md)."""

from collections.abc import Sequence

from apps.configuration.api.service import ConfigLookUp, PlatformConfig
from apps.flags.api.service import Flags, InternalFlags, Overrides, Schedule, Segments, TenantFlags
from apps.flags.api.stream import FlagStream
from apps.monitoring.api.service import Health, HealthSources
from apps.surfaces.kit.doors import Route, paths, route

ROUTES: Sequence[Route] = [
    route("GET /api/v1/admin/platform-config", PlatformConfig, "list"),
    route("POST /api/v1/admin/platform-config", PlatformConfig, "upsert"),
    route("GET /api/v1/admin/platform-config/{key}/history", PlatformConfig, "history"),
    route("DELETE /api/v1/admin/platform-config/{id}", PlatformConfig, "archive"),
    route("GET /api/v1/admin/flags", Flags, "list"),
    route("GET /api/v1/admin/flags/{key}", Flags, "retrieve"),
    route("POST /api/v1/admin/flags", Flags, "create"),
    route("PATCH /api/v1/admin/flags/{key}", Flags, "partial_update"),
    route("DELETE /api/v1/admin/flags/{key}", Flags, "archive"),
    route("POST /api/v1/admin/flags/{key}/tenant-overrides", Overrides, "upsert"),
    route("DELETE /api/v1/admin/flags/{key}/tenant-overrides/{tenantId}", Overrides, "remove"),
    route("GET /api/v1/admin/flags/{key}/tenant-overrides", Overrides, "list"),
    route("GET /api/v1/admin/flags/{key}/history", Flags, "history"),
    route("POST /api/v1/admin/flags/{key}/history/{version}/restore", Flags, "restore"),
    route("POST /api/v1/admin/flags/{key}/explain", Flags, "explain"),
    route("GET /api/v1/admin/segments", Segments, "list"),
    route("POST /api/v1/admin/segments", Segments, "create"),
    route("PATCH /api/v1/admin/segments/{key}", Segments, "partial_update"),
    route("DELETE /api/v1/admin/segments/{key}", Segments, "remove"),
    route("GET /api/v1/admin/flags/{key}/schedule", Schedule, "list"),
    route("POST /api/v1/admin/flags/{key}/schedule", Schedule, "create"),
    route("DELETE /api/v1/admin/flags/{key}/schedule/{id}", Schedule, "cancel"),
    route("GET /api/v1/platform/flags", TenantFlags, "list"),
    route("GET /api/v1/platform/flags/{key}/evaluate", TenantFlags, "evaluate"),
    route("GET /api/v1/admin/health/aggregate", Health, "aggregate"),
    route("GET /internal/admin/flags/{key}/evaluate", InternalFlags, "evaluate"),
    route("GET /internal/admin/flags/bootstrap", InternalFlags, "bootstrap"),
    route("GET /internal/admin/flags/stream", FlagStream, "listen"),
    route("GET /internal/admin/config/{key}", ConfigLookUp, "retrieve"),
    route("POST /internal/admin/health/sources", HealthSources, "register"),
    route("POST /internal/admin/flags/usage", InternalFlags, "record_usage"),
]

urlpatterns = paths(ROUTES)
