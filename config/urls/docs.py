"""The pages at /docs/: the OpenAPI documents of the public surfaces."""

from django.urls import path

from apps.surfaces import docs

urlpatterns = [
    path("", docs.index, name="docs"),
    path("<slug:name>.yaml", docs.document, name="docs_document"),
    path("<slug:name>/", docs.swagger, name="docs_swagger"),
    path("<slug:name>/redoc/", docs.redoc, name="docs_redoc"),
]
