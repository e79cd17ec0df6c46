"""Flags, their history, what tenants are given against their rules, segments, changes to come, and how often asked."""

from typing import Any
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now, Upper

from apps.core import ids
from apps.core.clock import iso
from apps.core.write import Target
from apps.flags.engine.reading import KEY_PATTERN, LONGEST_KEY
from apps.flags.enums import DEFINING, ChangeKind, ScheduleStatus, ValueType
from apps.tenants.models import Tenant

FLAG, SEGMENT, SCHEDULE = "flg", "seg", "sch"

# Raised by every write that may change what somebody gets (apps.core.live).
TOPIC = "flags"


class Flag(models.Model):
    """A flag as operators wrote it, checked by apps.flags.engine.read_flag. `version` counts its definitions."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    key = models.CharField(max_length=LONGEST_KEY, unique=True)
    description = models.TextField(max_length=1000, blank=True, default="")
    type = models.CharField(max_length=8, choices=ValueType.choices, default=ValueType.BOOLEAN)
    variations = models.JSONField(default=list)
    off_variation = models.CharField(max_length=64, default="off")
    default_enabled = models.BooleanField(default=False)
    is_archived = models.BooleanField(default=False)
    rules = models.JSONField(default=list)
    rollout = models.JSONField(null=True)
    prerequisites = models.JSONField(default=list)
    hash = models.CharField(max_length=32, default="murmur3")
    salt = models.CharField(max_length=200)
    tags: "ArrayField[list[str], list[str]]" = ArrayField(models.CharField(max_length=60), default=list)
    owner = models.CharField(max_length=200, blank=True, default="")
    expires_at = models.DateTimeField(null=True)
    needs_approval = models.BooleanField(default=False, help_text="a change needs a second person")
    # Found out by the job flags.find_settled; null until it has looked at this version.
    same_for_all = models.BooleanField(null=True)
    handed_out_at = models.DateTimeField(
        null=True,
        help_text="last part of OFREP's answer with every flag, to the hour; which were used nobody tells",
    )
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "flags_flag"
        ordering = ["key"]
        verbose_name = "feature flag"
        constraints = [
            models.CheckConstraint(name="flag_key", condition=Q(key__regex=KEY_PATTERN)),
            models.CheckConstraint(name="flag_type", condition=Q(type__in=ValueType.values)),
            models.CheckConstraint(name="flag_version", condition=Q(version__gte=1)),
        ]
        indexes = [
            GinIndex(OpClass(Upper("key"), name="gin_trgm_ops"), name="flag_search"),
            GinIndex(fields=["tags"], name="flag_tags"),
            GinIndex(OpClass("rules", name="jsonb_path_ops"), name="flag_rules"),
        ]

    def __str__(self) -> str:
        return self.key

    def audit_target(self) -> Target:
        return audit_target(self.key)

    def variation_when(self, *, enabled: bool) -> str:
        """What "on" and "off" mean: the first variation that is not the off variation, and that one."""
        if not enabled:
            return self.off_variation
        keys = (str(each["key"]) for each in self.variations)
        return next(key for key in keys if key != self.off_variation)

    def given_by(self, override: "TenantOverride") -> tuple[str, bool]:
        """The variation that an override of this flag gives, and whether that is on: what off means may be another than
        when it was set."""
        given = override.variation or self.variation_when(enabled=override.enabled)
        return given, given != self.off_variation

    def definition(self) -> dict[str, Any]:
        """Everything that a version is, by the names of contracts/service.md, section 2; JSON values."""
        return {
            **self.evaluated(),
            "description": self.description,
            "tags": list(self.tags),
            "owner": self.owner,
            "expiresAt": iso(self.expires_at) if self.expires_at else None,
            "needsApproval": self.needs_approval,
        }

    def evaluated(self) -> dict[str, Any]:
        """What evaluation depends on: the input of `read_flag`."""
        return {
            "key": self.key,
            "type": self.type,
            "variations": self.variations,
            "offVariation": self.off_variation,
            "defaultEnabled": self.default_enabled,
            "isArchived": self.is_archived,
            "rules": self.rules,
            "rollout": self.rollout,
            "prerequisites": self.prerequisites,
            "hash": self.hash,
            "salt": self.salt,
        }


def audit_target(key: str, tenant_id: UUID | None = None) -> Target:
    return Target(type="flag", id=key, tenant_id=tenant_id)


class FlagChange(models.Model):
    """One line of a flag's history: a new definition, or a tenant's override. Never changed once written."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    flag = models.ForeignKey(Flag, on_delete=models.CASCADE, related_name="changes")
    kind = models.CharField(max_length=16, choices=ChangeKind.choices)
    version = models.PositiveIntegerField(help_text="the version of the flag after the change")
    tenant_id = models.UUIDField(null=True, help_text="whose override it was")
    changed_at = models.DateTimeField(db_default=Now())
    # Principal.id of who did it: stable, and no personal datum.
    changed_by = models.CharField(max_length=200)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        db_table = "flags_change"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                name="flag_change_one_a_version", fields=["flag", "version"], condition=Q(kind__in=DEFINING)
            ),
            models.CheckConstraint(
                name="flag_change_tenant_iff_override",
                condition=Q(kind__in=DEFINING, tenant_id__isnull=True)
                | (~Q(kind__in=DEFINING) & Q(tenant_id__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(name="flag_change_newest", fields=["flag", "-id"]),
            models.Index(
                name="flag_change_by_tenant", fields=["tenant_id"], condition=Q(tenant_id__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} v{self.version}"


class TenantOverride(models.Model):
    """What one tenant gets whatever the rules say, until `expires_at`. Without a variation `enabled` says which."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    flag = models.ForeignKey(Flag, on_delete=models.CASCADE, related_name="overrides")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    enabled = models.BooleanField()
    variation = models.CharField(max_length=64, blank=True, default="")
    reason = models.CharField(max_length=500, blank=True, default="")
    expires_at = models.DateTimeField(null=True)
    set_by = models.CharField(max_length=200)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "flags_override"
        ordering = ["-id"]
        verbose_name = "flag override"
        constraints = [models.UniqueConstraint(name="flag_override_one", fields=["flag", "tenant"])]

    def __str__(self) -> str:
        return f"{self.flag_id} for {self.tenant_id}"

    def told(self) -> dict[str, Any]:
        """For the history: JSON values, nothing personal."""
        return {
            "tenantId": ids.public(ids.TENANT, self.tenant_id),
            "enabled": self.enabled,
            "variation": self.variation or None,
            "expiresAt": iso(self.expires_at) if self.expires_at else None,
        }


class Segment(models.Model):
    """Conditions under one name, for the rules of many flags."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    key = models.CharField(max_length=LONGEST_KEY, unique=True)
    description = models.TextField(max_length=1000, blank=True, default="")
    conditions = models.JSONField(default=list)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "flags_segment"
        ordering = ["key"]
        constraints = [models.CheckConstraint(name="segment_key", condition=Q(key__regex=KEY_PATTERN))]

    def __str__(self) -> str:
        return self.key

    def audit_target(self) -> Target:
        return Target(type="segment", id=self.key)

    def definition(self) -> dict[str, Any]:
        return {"key": self.key, "description": self.description, "conditions": self.conditions}


class ScheduledChange(models.Model):
    """A change that a worker makes at its time, once, in the name of `author`."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    flag = models.ForeignKey(Flag, on_delete=models.CASCADE, related_name="schedule")
    at = models.DateTimeField()
    change = models.JSONField()
    status = models.CharField(max_length=9, choices=ScheduleStatus.choices, default=ScheduleStatus.PENDING)
    # Principal.id; the job that applies it knows the rest.
    author = models.CharField(max_length=200)
    approved = models.BooleanField(
        db_default=False, help_text="the flag needed a second person when this was scheduled, who agreed"
    )
    error = models.JSONField(null=True, help_text="why it could not be applied: {code, message, details}")
    settled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "flags_scheduled_change"
        ordering = ["at", "id"]
        constraints = [
            models.CheckConstraint(
                name="scheduled_change_settled",
                condition=Q(status=ScheduleStatus.PENDING, settled_at__isnull=True)
                | (~Q(status=ScheduleStatus.PENDING) & Q(settled_at__isnull=False)),
            )
        ]
        indexes = [
            models.Index(
                name="scheduled_change_due", fields=["at"], condition=Q(status=ScheduleStatus.PENDING)
            )
        ]

    def __str__(self) -> str:
        return f"change of {self.flag_id} at {self.at}"

    @property
    def public_id(self) -> str:
        return ids.public(SCHEDULE, self.id)


class FlagUsage(models.Model):
    """How often a flag was evaluated in an hour, by what it came to. `variation` is empty where nobody said."""

    flag = models.ForeignKey(Flag, on_delete=models.CASCADE, related_name="usage")
    hour = models.DateTimeField()
    variation = models.CharField(max_length=64, blank=True, default="")
    count = models.BigIntegerField()

    class Meta:
        db_table = "flags_usage"
        ordering = ["-hour"]
        constraints = [
            models.UniqueConstraint(name="flag_usage_one_an_hour", fields=["flag", "hour", "variation"]),
            models.CheckConstraint(name="flag_usage_positive", condition=Q(count__gt=0)),
        ]
        indexes = [models.Index(name="flag_usage_by_hour", fields=["hour"])]

    def __str__(self) -> str:
        return f"{self.flag_id} {self.hour}"
