"""The console surface, one line a route, in the order of its contract page (contracts/console.md)."""

from collections.abc import Sequence

from apps.surfaces.kit.doors import Route, paths, route
from apps.users.api.console import Members, Users

ROUTES: Sequence[Route] = [
    route("GET /api/admin/users/{userId}", Users, "retrieve"),
    route("PATCH /api/admin/users/{userId}", Users, "partial_update"),
    route("POST /api/admin/users/{userId}/block", Users, "block"),
    route("POST /api/admin/users/{userId}/reset-password", Users, "reset_password"),
    route("POST /api/admin/backfill-members", Members, "backfill"),
]

urlpatterns = paths(ROUTES)
