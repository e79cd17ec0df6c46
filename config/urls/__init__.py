"""All doors. Each surface has a flat table of its own beside this file, in the order of its contract page."""

from django.urls import include, path

urlpatterns = [
    path("", include("apps.core.urls")),
    path("", include("apps.identity.urls")),
]
