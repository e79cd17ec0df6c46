"""The pages at /docs/: the committed OpenAPI documents of the public surfaces, in Swagger UI and Redoc."""

from pathlib import Path

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from apps.surfaces.kit.surface import Surface, surfaces

# Both tools put styles into the page as they go; Redoc searches in a worker that it makes itself.
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; worker-src blob:; form-action 'none'; frame-ancestors 'none'; "
    "base-uri 'none'"
)


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Which surfaces there are."""
    return _page(request, "docs/index.html", {"surfaces": _public()})


@require_safe
def swagger(request: HttpRequest, name: str) -> HttpResponse:
    """One surface, to try out."""
    return _page(request, "docs/swagger.html", {"surface": _surface(name)})


@require_safe
def redoc(request: HttpRequest, name: str) -> HttpResponse:
    """One surface, to read."""
    return _page(request, "docs/redoc.html", {"surface": _surface(name)})


@require_safe
def document(request: HttpRequest, name: str) -> FileResponse:
    """The committed file."""
    del request
    file = Path(settings.BASE_DIR) / "openapi" / f"{_surface(name).name}.yaml"
    if not file.is_file():
        raise Http404
    response = FileResponse(file.open("rb"), content_type="application/yaml")
    response["Cache-Control"] = "no-cache"
    return response


def _public() -> list[Surface]:
    return [surface for surface in surfaces() if surface.public]


def _surface(name: str) -> Surface:
    for surface in _public():
        if surface.name == name:
            return surface
    raise Http404


def _page(request: HttpRequest, template: str, context: dict[str, object]) -> HttpResponse:
    response = TemplateResponse(request, template, context)
    response["Content-Security-Policy"] = _CSP
    response["Cache-Control"] = "no-cache"
    return response
