"""OpenFeature's remote evaluation protocol, one line a route, in the order of its published document."""

from collections.abc import Sequence

from apps.flags.api.ofrep import Evaluation
from apps.surfaces.kit.doors import Route, paths, route

ROUTES: Sequence[Route] = [
    route("POST /ofrep/v1/evaluate/flags/{key}", Evaluation, "single"),
    route("POST /ofrep/v1/evaluate/flags", Evaluation, "bulk"),
]

urlpatterns = paths(ROUTES)
