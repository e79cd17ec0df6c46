"""Choices of the core's tables."""

from django.db.models import TextChoices


class JobEngine(TextChoices):
    CELERY = "celery", "Celery"
    RQ = "rq", "RQ"


class JobStatus(TextChoices):
    WAITING = "waiting", "Waiting"
    ACTIVE = "active", "Active"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"
