"""Exports that were asked for."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.core import ids
from apps.core.principal import Principal, PrincipalKind
from apps.core.write import Target
from apps.exports.enums import ExportFormat, ExportStatus

EXPORT = "exp"


class Export(models.Model):
    """A file that somebody of ours asked for: made by a job, there for a day."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    kind = models.CharField(max_length=60)
    format = models.CharField(max_length=4, choices=ExportFormat.choices)
    params = models.JSONField(default=dict)
    # Whose data it is about, where it is about one tenant.
    tenant_id = models.UUIDField(null=True)
    requested_by = models.CharField(max_length=200, help_text="Principal.id")
    requested_by_user_id = models.UUIDField(null=True)
    # What the requester was when asking: the rows are those that these roles see.
    roles: "ArrayField[list[str], list[str]]" = ArrayField(models.CharField(max_length=20))
    status = models.CharField(max_length=10, choices=ExportStatus.choices, default=ExportStatus.PROCESSING)
    rows = models.PositiveIntegerField(null=True)
    truncated = models.BooleanField(default=False)
    object_key = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField(null=True, help_text="bytes")
    sha256 = models.CharField(max_length=64, blank=True, default="")
    error = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())
    ready_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    # When the file was removed; null while there is, or may be, one.
    removed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "exports_export"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(name="export_status", condition=Q(status__in=ExportStatus.values)),
            models.CheckConstraint(name="export_format", condition=Q(format__in=ExportFormat.values)),
            models.CheckConstraint(
                name="export_ready_is_whole",
                condition=~Q(status=ExportStatus.READY)
                | Q(
                    rows__isnull=False,
                    size__isnull=False,
                    sha256__regex=r"^[0-9a-f]{64}$",
                    ready_at__isnull=False,
                    expires_at__isnull=False,
                    removed_at__isnull=True,
                ),
            ),
        ]
        indexes = [
            models.Index(name="export_by_requester", fields=["requested_by_user_id", "-id"]),
            models.Index(
                name="export_with_file", fields=["status", "expires_at"], condition=Q(removed_at=None)
            ),
            models.Index(name="export_by_tenant", fields=["tenant_id"], condition=Q(tenant_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.status})"

    @property
    def public_id(self) -> str:
        return ids.public(EXPORT, self.id)

    @property
    def filename(self) -> str:
        return f"{self.kind}-{self.public_id}.{self.format}"

    @property
    def job_key(self) -> str:
        """The unique key of the job that makes it."""
        return f"export:{self.id}"

    def is_downloadable(self, at: datetime) -> bool:
        return self.status == ExportStatus.READY and self.expires_at is not None and self.expires_at > at

    def asked_by(self, principal: Principal) -> bool:
        """True for the one who asked, through whatever door."""
        same_person = principal.user_id is not None and principal.user_id == self.requested_by_user_id
        return same_person or principal.id == self.requested_by

    def requester(self) -> Principal:
        """Whom the rows are gathered for: the requester, with the roles of then."""
        return Principal(
            kind=PrincipalKind.STAFF,
            id=self.requested_by,
            user_id=self.requested_by_user_id,
            roles=frozenset(self.roles),
            via="job",
        )

    def audit_target(self) -> Target:
        return Target(type="export", id=self.public_id, tenant_id=self.tenant_id)
