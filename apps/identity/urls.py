"""The identity app's doors for machines."""

from django.urls import path

from apps.identity.api import wellknown

urlpatterns = [
    path(".well-known/jwks.json", wellknown.jwks, name="jwks"),
    path(".well-known/openid-configuration", wellknown.configuration, name="openid-configuration"),
]
