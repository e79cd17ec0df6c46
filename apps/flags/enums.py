"""Choices of the tables of flags."""

from django.db.models import TextChoices


class ValueType(TextChoices):
    """As apps.flags.engine.FlagType."""

    BOOLEAN = "boolean", "Boolean"
    STRING = "string", "String"
    NUMBER = "number", "Number"
    OBJECT = "object", "Object"


class ChangeKind(TextChoices):
    CREATED = "created", "Created"
    UPDATED = "updated", "Updated"
    ARCHIVED = "archived", "Archived"
    RESTORED = "restored", "Restored"
    OVERRIDE_SET = "override_set", "Override set"
    OVERRIDE_REMOVED = "override_removed", "Override removed"


# Changes of the definition: each is a version of the flag, and can be restored.
DEFINING = (ChangeKind.CREATED, ChangeKind.UPDATED, ChangeKind.ARCHIVED, ChangeKind.RESTORED)


class ScheduleStatus(TextChoices):
    PENDING = "pending", "Pending"
    APPLIED = "applied", "Applied"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class StaleReason(TextChoices):
    """Why a flag may be no longer needed."""

    EXPIRED = "expired", "Past its expiry date"
    SETTLED = "settled", "Unchanged, and the same for every tenant"
    NOT_EVALUATED = "not_evaluated", "Not asked for"
