"""What is answered about flags: the shapes for OpenAPI, and the functions that fill them."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from apps.approvals.services import Pending
from apps.core import ids
from apps.core.clock import iso
from apps.core.errors import Conflict, NotFound, PreconditionFailed, Unprocessable
from apps.flags.engine import FlagType, Reason, bucketers
from apps.flags.enums import ChangeKind, ScheduleStatus
from apps.flags.models import Flag, FlagChange, ScheduledChange, Segment, TenantOverride
from apps.surfaces.kit.answers import Answer

REFUSALS = (NotFound, Conflict, PreconditionFailed, Unprocessable)


class FlagRow(serializers.Serializer[Any]):
    """A flag."""

    key = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    defaultEnabled = serializers.BooleanField()  # noqa: N815  as the contract writes it
    isArchived = serializers.BooleanField()  # noqa: N815
    type = serializers.ChoiceField(choices=[each.value for each in FlagType])
    variations = serializers.ListField(child=serializers.DictField())
    offVariation = serializers.CharField()  # noqa: N815
    rules = serializers.ListField(child=serializers.DictField())
    rollout = serializers.DictField(allow_null=True)
    prerequisites = serializers.ListField(child=serializers.DictField())
    hash = serializers.ChoiceField(choices=list(bucketers))
    salt = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    owner = serializers.CharField(allow_null=True)
    expiresAt = serializers.DateTimeField(allow_null=True)  # noqa: N815
    overridesCount = serializers.IntegerField(help_text="Tenants' overrides in force.")  # noqa: N815
    version = serializers.IntegerField()
    createdAt = serializers.DateTimeField()  # noqa: N815
    updatedAt = serializers.DateTimeField()  # noqa: N815


class OverrideRow(serializers.Serializer[Any]):
    """What one tenant is given against the rules."""

    flagKey = serializers.CharField()  # noqa: N815
    tenantId = serializers.CharField()  # noqa: N815
    enabled = serializers.BooleanField()
    variation = serializers.CharField()
    reason = serializers.CharField(allow_null=True)
    expiresAt = serializers.DateTimeField(allow_null=True)  # noqa: N815
    createdAt = serializers.DateTimeField()  # noqa: N815
    updatedAt = serializers.DateTimeField()  # noqa: N815


class FlagChangeRow(serializers.Serializer[Any]):
    """One change. `before` is null at the creation, and where a tenant had no override."""

    version = serializers.IntegerField(help_text="Of the flag after the change.")
    kind = serializers.ChoiceField(choices=ChangeKind.values)
    changedAt = serializers.DateTimeField()  # noqa: N815
    changedBy = serializers.CharField()  # noqa: N815
    tenantId = serializers.CharField(allow_null=True, help_text="Whose override it was.")  # noqa: N815
    before = serializers.DictField(allow_null=True)
    after = serializers.DictField(allow_null=True)


class SegmentRow(serializers.Serializer[Any]):
    key = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    conditions = serializers.ListField(child=serializers.DictField())
    version = serializers.IntegerField()
    createdAt = serializers.DateTimeField()  # noqa: N815
    updatedAt = serializers.DateTimeField()  # noqa: N815


class ScheduledRow(serializers.Serializer[Any]):
    id = serializers.CharField()
    at = serializers.DateTimeField()
    change = serializers.DictField()
    status = serializers.ChoiceField(choices=ScheduleStatus.values)
    author = serializers.CharField()
    error = serializers.DictField(allow_null=True, help_text="Why it failed.")
    settledAt = serializers.DateTimeField(allow_null=True)  # noqa: N815
    createdAt = serializers.DateTimeField()  # noqa: N815


class DecisionRow(serializers.Serializer[Any]):
    """What a flag is for one tenant."""

    key = serializers.CharField()
    enabled = serializers.BooleanField()
    value = serializers.JSONField(help_text="Of the flag's type.")
    variation = serializers.CharField()
    reason = serializers.ChoiceField(choices=[each.value for each in Reason])


def flag_row(flag: Flag, *, overrides_count: int | None = None) -> dict[str, Any]:
    """`overrides_count` where the row does not bring it (querysets.with_overrides_count)."""
    count = flag.overrides_count if overrides_count is None else overrides_count  # type: ignore[attr-defined]
    return {
        "key": flag.key,
        "description": flag.description,
        "defaultEnabled": flag.default_enabled,
        "isArchived": flag.is_archived,
        "type": flag.type,
        "variations": flag.variations,
        "offVariation": flag.off_variation,
        "rules": flag.rules,
        "rollout": flag.rollout,
        "prerequisites": flag.prerequisites,
        "hash": flag.hash,
        "salt": flag.salt,
        "tags": flag.tags,
        "owner": flag.owner or None,
        "expiresAt": flag.expires_at,
        "overridesCount": count,
        "version": flag.version,
        "createdAt": flag.created_at,
        "updatedAt": flag.updated_at,
    }


def override_row(row: TenantOverride) -> dict[str, Any]:
    variation, is_on = row.flag.given_by(row)
    return {
        "flagKey": row.flag.key,
        "tenantId": tenant(row.tenant_id),
        "enabled": is_on,
        "variation": variation,
        "reason": row.reason or None,
        "expiresAt": row.expires_at,
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
    }


def change_row(row: FlagChange) -> dict[str, Any]:
    return {
        "version": row.version,
        "kind": row.kind,
        "changedAt": row.changed_at,
        "changedBy": row.changed_by,
        "tenantId": tenant(row.tenant_id) if row.tenant_id is not None else None,
        "before": row.before,
        "after": row.after,
    }


def segment_row(row: Segment) -> dict[str, Any]:
    return {
        "key": row.key,
        "description": row.description,
        "conditions": row.conditions,
        "version": row.version,
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
    }


def scheduled_row(row: ScheduledChange) -> dict[str, Any]:
    return {
        "id": row.public_id,
        "at": row.at,
        "change": row.change,
        "status": row.status,
        "author": row.author,
        "error": row.error,
        "settledAt": row.settled_at,
        "createdAt": row.created_at,
    }


def tenant(tenant_id: UUID) -> str:
    return ids.public(ids.TENANT, tenant_id)


def waiting(pending: Pending) -> Answer:
    """202: a second person is asked."""
    return Answer(pending.body(), status=202)


def as_json(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a definition as JSON keeps them: instants as text, no owner as an empty one."""
    found = dict(fields)
    if found.get("expiresAt") is not None:
        found["expiresAt"] = iso(found["expiresAt"])
    if "owner" in found:
        found["owner"] = found["owner"] or ""
    return found
