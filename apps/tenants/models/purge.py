"""The end of a tenant."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.core import ids
from apps.core.write import Target
from apps.tenants.enums import PurgeStatus

PURGE = "prg"


class Purge(models.Model):
    """A removal under way, resumable: which stores have been emptied so far. It outlives the tenant's row."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    tenant_id = models.UUIDField()
    slug = models.CharField(max_length=63)
    status = models.CharField(max_length=8, choices=PurgeStatus.choices, default=PurgeStatus.RUNNING)
    # {store: rows or objects removed}
    removed = models.JSONField(default=dict)
    # {store: rows of its tables that named the tenant, before}
    found = models.JSONField(default=dict, db_default={})
    reason = models.CharField(max_length=500, default="", blank=True)
    actor = models.JSONField(default=dict)
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    # Of the signed receipt in the object store; empty until it is there.
    receipt_sha256 = models.CharField(max_length=64, default="", db_default="", blank=True)

    class Meta:
        db_table = "tenants_purge"
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(
                name="purge_one_running", fields=["tenant_id"], condition=Q(status=PurgeStatus.RUNNING)
            )
        ]

    def __str__(self) -> str:
        return f"purge of {self.slug}"

    @property
    def public_id(self) -> str:
        return ids.public(PURGE, self.id)

    @property
    def receipt_key(self) -> str:
        """Where the receipt lies in the object store."""
        return f"receipts/{self.public_id}.json"

    def manifest(self) -> dict[str, dict[str, int]]:
        """By store: what was found, what was removed, what remains (nothing, once the tombstone stands)."""
        return {
            store: {"before": self.found.get(store, 0), "removed": count, "remaining": 0}
            for store, count in sorted(self.removed.items())
        }

    def audit_target(self) -> Target:
        tenant_id = ids.public(ids.TENANT, self.tenant_id)
        return Target(type="tenant", id=tenant_id, tenant_id=self.tenant_id)


class TenantTombstone(models.Model):
    """What is left of a purged tenant: its id and slug, which stay taken, and when it went."""

    tenant_id = models.UUIDField(primary_key=True)
    slug = models.CharField(max_length=63, unique=True)
    was_test = models.BooleanField(default=False)
    purge = models.ForeignKey(Purge, on_delete=models.PROTECT, related_name="+")
    deleted_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "tenants_tombstone"
        ordering = ["-deleted_at"]

    def __str__(self) -> str:
        return self.slug
