"""Mounted at /downloads/ (config/urls)."""

from django.urls import path

from apps.exports.views import download

urlpatterns = [path("exports/<str:export_id>", download, name="export_download")]
