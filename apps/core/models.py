"""Tables of the core: jobs, idempotent responses, live topics, failed attempts."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.core.enums import JobEngine, JobStatus
from apps.core.ids import new_id


class Job(models.Model):
    """One piece of work. The row is the truth; a broker message only wakes a worker (apps.core.jobs)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120)
    engine = models.CharField(max_length=8, choices=JobEngine.choices)
    queue = models.CharField(max_length=80)
    args = models.JSONField(default=dict)
    status = models.CharField(max_length=12, choices=JobStatus.choices, default=JobStatus.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=5)
    # Two jobs never bear the same key: the key names the effect, so that an effect is asked for once.
    unique_key = models.CharField(max_length=200, null=True, unique=True)
    run_at = models.DateTimeField(db_default=Now())
    dispatched_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    progress = models.JSONField(null=True)
    result = models.JSONField(null=True)
    error = models.JSONField(null=True)
    actor = models.JSONField(default=dict)
    tenant_id = models.UUIDField(null=True)
    request_id = models.CharField(max_length=128, default="", blank=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "core_job"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="job_status_known", condition=Q(status__in=JobStatus.values)),
            models.CheckConstraint(
                name="job_ended_has_time",
                condition=~Q(status__in=[JobStatus.COMPLETED, JobStatus.FAILED])
                | Q(finished_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                name="job_due",
                fields=["run_at"],
                condition=Q(status__in=[JobStatus.WAITING, JobStatus.ACTIVE]),
            ),
            models.Index(name="job_by_queue", fields=["queue", "status", "-id"]),
            models.Index(
                name="job_by_tenant", fields=["tenant_id", "-id"], condition=Q(tenant_id__isnull=False)
            ),
            GinIndex(name="job_actor", fields=["actor"], opclasses=["jsonb_path_ops"]),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.status})"


class IdempotentResponse(models.Model):
    """The stored answer of a mutation that carried an Idempotency-Key; kept 24 h from completion."""

    key_hash = models.BinaryField(primary_key=True, max_length=32)
    fingerprint = models.BinaryField(max_length=32)
    surface = models.CharField(max_length=20)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    completed_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "core_idempotent_response"
        indexes = [models.Index(name="idempotent_by_age", fields=["completed_at"])]

    def __str__(self) -> str:
        return f"{self.surface} {self.status}"


class LiveTopic(models.Model):
    """The revision of something that processes keep in memory (apps.core.live)."""

    name = models.CharField(primary_key=True, max_length=120)
    revision = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "core_live_topic"

    def __str__(self) -> str:
        return f"{self.name} r{self.revision}"


class FailedAttempt(models.Model):
    """A failed proof (sign-in, re-authentication, automation key), counted by apps.core.attempts."""

    at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=12)
    # SHA-256 of what names the account: an unknown address is no personal datum to keep in clear.
    account = models.BinaryField(max_length=32)
    address = models.GenericIPAddressField(null=True)

    class Meta:
        # The app `users` made the table, when only sign-ins were counted.
        db_table = "users_login_failure"
        indexes = [
            models.Index(name="login_failure_account", fields=["kind", "account", "-at"]),
            models.Index(name="login_failure_address", fields=["kind", "address", "-at"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"


class RowCount(models.Model):
    """How many rows a large table has, kept by its triggers in the transaction of each change (apps.core.counts).

    The sum over the slots is the number: each writer adds to a slot that nobody holds, so that none waits for another.
    `part` is empty for the whole table, or the value of the column by which its parts are counted.
    """

    table = models.CharField(max_length=63)
    part = models.CharField(max_length=63, default="", db_default="", blank=True)
    slot = models.PositiveSmallIntegerField()
    rows = models.BigIntegerField()

    class Meta:
        db_table = "core_row_count"
        constraints = [models.UniqueConstraint(name="row_count_slot", fields=["table", "part", "slot"])]

    def __str__(self) -> str:
        return f"{self.table}/{self.part}/{self.slot}: {self.rows}"
