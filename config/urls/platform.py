"""The platform surface, one line a route, in the order of its contract page (contracts/platform.md)."""

from collections.abc import Sequence

from apps.surfaces.kit.doors import Route, paths

ROUTES: Sequence[Route] = []

urlpatterns = paths(ROUTES)
