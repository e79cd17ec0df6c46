"""Further steps between permission and throttle, named by settings: tenant binding, capability, quota."""

from collections.abc import Mapping
from functools import cache
from typing import Protocol, cast

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string

from apps.core.principal import Principal
from apps.surfaces.kit.actions import Action


class Step(Protocol):
    """One check. It raises a domain error, or lets the request through."""

    def __call__(
        self, request: HttpRequest, principal: Principal | None, action: Action, path: Mapping[str, str]
    ) -> None: ...


@cache
def steps(surface: str) -> list[Step]:
    """The steps of settings.SURFACE_STEPS for a surface, in order."""
    return [cast("Step", import_string(path)) for path in settings.SURFACE_STEPS.get(surface, [])]
