"""The trail: chained entries without personal data, and personal details beside them under a salt.

The application's role can only append, through the function `audit_append` (migration 0002). An entry commits
to its details by SHA-256(salt + canonical JSON): where a detail was shredded, the chain stays valid.
"""

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from apps.audit.enums import Part, Verdict
from apps.core.ids import new_id, public
from apps.core.write import Target

VERIFICATION = "avf"


class AuditEntry(models.Model):
    """One row for each outermost write, and for each denied attempt."""

    id = models.UUIDField(primary_key=True)
    chain = models.CharField(max_length=64)  # "platform", or "tenant:<uuid>"
    seq = models.BigIntegerField()
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=12)
    actor_id = models.CharField(max_length=200)
    via = models.CharField(max_length=20)
    action = models.CharField(max_length=80)
    resource_type = models.CharField(max_length=40)
    resource_id = models.CharField(max_length=200)
    tenant_id = models.UUIDField(null=True)
    person_id = models.UUIDField(null=True)
    outcome = models.CharField(max_length=8)
    metadata = models.JSONField(default=dict)
    request_id = models.CharField(max_length=128)
    correlation_id = models.CharField(max_length=128)
    actor_commitment = models.BinaryField(max_length=32)
    subject_commitment = models.BinaryField(max_length=32)
    previous_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        db_table = "audit_entry"
        ordering = ["-at", "-id"]
        verbose_name = "audit entry"
        verbose_name_plural = "audit trail"
        constraints = [models.UniqueConstraint(name="audit_chain_seq", fields=["chain", "seq"])]
        indexes = [
            models.Index(name="audit_by_time", fields=["-at", "-id"]),
            models.Index(name="audit_by_resource", fields=["resource_type", "resource_id", "-at"]),
            models.Index(name="audit_by_person", fields=["person_id", "-at"]),
            models.Index(name="audit_by_actor", fields=["actor_id", "-at"]),
            models.Index(name="audit_by_tenant", fields=["tenant_id", "-at"]),
        ]

    def __str__(self) -> str:
        return f"{self.chain} #{self.seq} {self.action}"


class AuditDetail(models.Model):
    """Personal data of an entry: who the actor is to people, from where; reason, before and after."""

    entry = models.ForeignKey(AuditEntry, on_delete=models.DO_NOTHING, related_name="details")
    part = models.CharField(max_length=8, choices=Part.choices)
    person_id = models.UUIDField(null=True)
    salt = models.BinaryField(max_length=16)
    # actor: {label, address}; subject: {reason, before, after}. Canonical text, since its bytes are committed to.
    body = models.TextField()

    class Meta:
        db_table = "audit_detail"
        constraints = [models.UniqueConstraint(name="audit_detail_part", fields=["entry", "part"])]
        indexes = [
            models.Index(name="audit_detail_person", fields=["person_id"]),
            GinIndex(name="audit_detail_search", fields=["body"], opclasses=["gin_trgm_ops"]),
        ]

    def __str__(self) -> str:
        return f"{self.part} of {self.entry_id}"


class AuditHead(models.Model):
    """The last entry of a chain; its row is the chain's lock."""

    chain = models.CharField(primary_key=True, max_length=64)
    seq = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)

    class Meta:
        db_table = "audit_head"

    def __str__(self) -> str:
        return f"{self.chain} #{self.seq}"


class AuditAnchor(models.Model):
    """What the database knows of an anchor; the anchor itself lies in the object store (apps.audit.anchors).

    It leads to the newest anchor and fills a page; nothing is proven by it.
    """

    number = models.BigIntegerField(primary_key=True)
    slot = models.CharField(max_length=20)  # the hour it was due in; empty where somebody asked for it
    taken_at = models.DateTimeField()
    chains = models.BigIntegerField()
    rows = models.BigIntegerField()
    changed = models.BigIntegerField()  # chains that grew since the anchor before
    digest = models.CharField(max_length=64)
    after_restore = models.BooleanField(default=False)

    class Meta:
        db_table = "audit_anchor"
        ordering = ["-number"]
        verbose_name = "anchor"

    def __str__(self) -> str:
        return f"anchor {self.number}"

    def audit_target(self) -> Target:
        return Target(type="audit_anchor", id=str(self.number))


class AuditVerification(models.Model):
    """One reading of the whole trail, with its verdict."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    chains = models.BigIntegerField()
    rows = models.BigIntegerField()
    anchors = models.BigIntegerField()
    newest_anchor = models.BigIntegerField(null=True)
    findings = models.JSONField(default=list)  # sentences, the first twenty
    asked_by = models.CharField(max_length=200)

    class Meta:
        db_table = "audit_verification"
        ordering = ["-id"]
        verbose_name = "verification"

    def __str__(self) -> str:
        return f"{self.verdict} {self.finished_at:%Y-%m-%d %H:%M}"

    @property
    def public_id(self) -> str:
        return public(VERIFICATION, self.id)

    def audit_target(self) -> Target:
        return Target(type="audit_verification", id=self.public_id)
