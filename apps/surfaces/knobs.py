"""The rate limits of all surfaces as knobs: `rate_limit.<scope>`, by default what settings.SURFACE_RATE_LIMITS says."""

from functools import partial

from django.conf import settings

from apps.core.knobs import integer


def _set_by_deployment(scope: str) -> int:
    return int(settings.SURFACE_RATE_LIMITS[scope])


def _burst_set_by_deployment(scope: str) -> int:
    return int(settings.SURFACE_RATE_BURSTS[scope])


for _scope in settings.SURFACE_RATE_LIMITS:
    integer(
        f"rate_limit.{_scope}",
        default=partial(_set_by_deployment, _scope),
        minimum=1,
        maximum=1_000_000,
        section="Rate limits",
        description=f"Requests a minute of each caller in the scope {_scope}.",
    )

for _scope in settings.SURFACE_RATE_BURSTS:
    integer(
        f"rate_limit.{_scope}.burst",
        default=partial(_burst_set_by_deployment, _scope),
        minimum=0,
        maximum=1_000_000,
        section="Rate limits",
        description=f"Requests beyond the limit that each caller may make in a rush in the scope {_scope}.",
    )
