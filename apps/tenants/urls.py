"""Mounted at /downloads/ (config/urls)."""

from django.urls import path

from apps.tenants.views import receipt

urlpatterns = [path("receipts/<str:purge_id>", receipt, name="receipt_download")]
