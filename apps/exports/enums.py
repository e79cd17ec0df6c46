"""Choices of the exports' table."""

from django.db.models import TextChoices


class ExportStatus(TextChoices):
    PROCESSING = "processing", "Processing"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"
    EXPIRED = "expired", "Expired"


class ExportFormat(TextChoices):
    CSV = "csv", "CSV"
    JSON = "json", "JSON"
    ZIP = "zip", "ZIP"


# What rows become; a ZIP has members instead.
TABLES = frozenset({ExportFormat.CSV, ExportFormat.JSON})
