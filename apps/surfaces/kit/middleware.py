"""Below a surface's prefix every refusal has the surface's shape, whoever made it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from apps.surfaces.kit.errors import SurfaceResponse
from apps.surfaces.kit.fallback import shaped
from apps.surfaces.kit.surface import surface_of


class SurfaceErrors:
    """Replaces pages of Django's and of other apps by answers of the surface with the longest matching prefix."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code < 400 or isinstance(response, SurfaceResponse):
            return response
        surface = surface_of(request.path_info)
        if surface is None:
            return response
        replaced = shaped(response.status_code, surface, request)
        if "Allow" in response:
            replaced["Allow"] = response["Allow"]
        return replaced
