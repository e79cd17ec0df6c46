"""All doors. Each surface has a flat table of its own beside this file, in the order of its contract page."""

from django.urls import include, path

from apps.backoffice.site import site

urlpatterns = [
    path("", include("apps.core.urls")),
    path("", include("apps.identity.urls")),
    path("accounts/", include("config.urls.accounts")),
    path("backoffice/", site.urls),
    path("docs/", include("config.urls.docs")),
    path("downloads/", include("apps.exports.urls")),
    path("downloads/", include("apps.tenants.urls")),
    path("", include("config.urls.platform")),
    path("", include("config.urls.service")),
    path("", include("config.urls.ofrep")),
    path("", include("config.urls.automation")),
    path("", include("config.urls.console")),
    path("", include("config.urls.control")),
]

# Below a surface's prefix refusals have its shape; elsewhere they are pages.
handler400 = "apps.surfaces.kit.fallback.bad_request"
handler403 = "apps.surfaces.kit.fallback.permission_denied"
handler404 = "apps.surfaces.kit.fallback.not_found"
handler500 = "apps.surfaces.kit.fallback.server_error"
