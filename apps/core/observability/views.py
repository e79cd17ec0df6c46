"""`/healthz`, `/readyz`, `/metrics`: for machines, without a session and without a surface."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.core.observability import metrics
from apps.core.observability.addresses import is_internal
from apps.core.observability.health import readiness


@require_safe
@never_cache
def healthz(_request: HttpRequest) -> HttpResponse:
    """200 as long as the process can answer at all; asks nothing of others."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(_request: HttpRequest) -> HttpResponse:
    """200 when requests can be served, 503 with what is missing otherwise; `degraded` names what is away besides."""
    found = readiness()
    status = "unavailable" if not found.ready else "degraded" if found.degraded else "ok"
    body = {"status": status, "checks": found.parts, "missing": found.missing, "degraded": found.degraded}
    return JsonResponse(body, status=200 if found.ready else 503)


@require_safe
@never_cache
def prometheus(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format for callers inside INTERNAL_NETWORKS; for anybody else there is nothing here."""
    if not is_internal(request):
        raise Http404
    return HttpResponse(metrics.render(), content_type=metrics.CONTENT_TYPE)
