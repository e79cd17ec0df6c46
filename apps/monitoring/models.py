"""Sources of health, and what polling them found."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from apps.core.ids import new_id
from apps.core.write import Target
from apps.monitoring.enums import SourceStatus
from apps.monitoring.verdicts import FAILURES, SUCCESSES

SHORTEST_INTERVAL, LONGEST_INTERVAL = 10, 3600
LONGEST_TIMEOUT = 30
SERVICE_ID = r"^[A-Za-z0-9._:-]{1,64}$"
LONGEST_URL = 500


class HealthSource(models.Model):
    """A service that workers ask for its health."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    service_id = models.CharField(max_length=64, unique=True)
    url = models.CharField(max_length=LONGEST_URL)
    interval_seconds = models.PositiveSmallIntegerField(
        default=30, validators=[MinValueValidator(SHORTEST_INTERVAL), MaxValueValidator(LONGEST_INTERVAL)]
    )
    timeout_seconds = models.PositiveSmallIntegerField(
        default=5, validators=[MinValueValidator(1), MaxValueValidator(LONGEST_TIMEOUT)]
    )
    critical = models.BooleanField(default=False)
    failure_threshold = models.PositiveSmallIntegerField(default=FAILURES)
    success_threshold = models.PositiveSmallIntegerField(default=SUCCESSES)

    status = models.CharField(max_length=10, choices=SourceStatus.choices, default=SourceStatus.UNKNOWN)
    failures = models.PositiveIntegerField(default=0)
    successes = models.PositiveIntegerField(default=0)
    last_checked_at = models.DateTimeField(null=True)
    latency_ms = models.PositiveIntegerField(null=True)
    message = models.CharField(max_length=200, blank=True)
    due_at = models.DateTimeField(db_default=Now())
    version = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "monitoring_source"
        ordering = ["service_id"]
        verbose_name = "health source"
        constraints = [
            models.CheckConstraint(name="source_status", condition=Q(status__in=SourceStatus.values)),
            models.CheckConstraint(
                name="source_interval",
                condition=Q(interval_seconds__range=(SHORTEST_INTERVAL, LONGEST_INTERVAL)),
            ),
            models.CheckConstraint(
                name="source_timeout",
                condition=Q(timeout_seconds__range=(1, LONGEST_TIMEOUT))
                & Q(timeout_seconds__lte=F("interval_seconds")),
            ),
            models.CheckConstraint(
                name="source_thresholds",
                condition=Q(failure_threshold__gte=1) & Q(success_threshold__gte=1),
            ),
            models.CheckConstraint(name="source_one_run", condition=Q(failures=0) | Q(successes=0)),
        ]
        indexes = [models.Index(name="source_due", fields=["due_at"])]

    def __str__(self) -> str:
        return self.service_id

    def audit_target(self) -> Target:
        return Target(type="health_source", id=self.service_id)


class HealthSample(models.Model):
    """One answer, or its absence."""

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(HealthSource, on_delete=models.CASCADE, related_name="samples")
    at = models.DateTimeField()
    is_good = models.BooleanField()
    latency_ms = models.PositiveIntegerField(null=True)

    class Meta:
        db_table = "monitoring_sample"
        ordering = ["-at"]
        indexes = [
            models.Index(
                name="sample_by_source", fields=["source", "-at"], include=["is_good", "latency_ms"]
            ),
            models.Index(name="sample_by_time", fields=["at"]),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} {self.at:%Y-%m-%d %H:%M:%S}"
