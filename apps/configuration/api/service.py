"""Platform configuration on the surface `service` (contracts/service.md, section 1 and "Internal routes")."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from apps.configuration import selectors, services
from apps.configuration.enums import Origin, ValueScope
from apps.configuration.errors import ConfigNotFound, KeyUnknown
from apps.configuration.models import CONFIG, ConfigChange, ConfigValue
from apps.core import ids
from apps.core.errors import Conflict, NotFound, PreconditionFailed
from apps.core.knobs.registry import LONGEST_NAME
from apps.core.knobs.values import LONGEST_TEXT
from apps.surfaces import service
from apps.surfaces.internal import INTERNAL
from apps.surfaces.kit.actions import changes, reads
from apps.surfaces.kit.answers import Answer, Page
from apps.surfaces.kit.calls import Call
from apps.surfaces.kit.fields import Choice, Flag, TenantId, Text
from apps.surfaces.kit.inputs import Body, Query

_KEY_HELP = "A declared key, like `tenant.session_idle_minutes`."


class ValueFilters(Query):
    scope = Choice(ValueScope.values, required=False)
    tenantId = TenantId(required=False)  # noqa: N815  as the contract writes it
    key = Text(required=False, max_length=LONGEST_NAME, help_text="How the key begins.")
    includeArchived = Flag(default=False)  # noqa: N815


class ValueBody(Body):
    """A value, for the platform or for one tenant."""

    key = Text(max_length=LONGEST_NAME, help_text=_KEY_HELP)
    value = Text(
        max_length=LONGEST_TEXT,
        allow_blank=True,
        trim_whitespace=False,
        help_text="As text, whatever the key's type: `30`, `true`, `[7,3,1]`.",
    )
    scope = Choice(ValueScope.values)
    tenantId = TenantId(required=False, allow_null=True)  # noqa: N815
    description = Text(required=False, allow_null=True, allow_blank=True, max_length=500)


class LookUp(Query):
    tenantId = TenantId(required=False)  # noqa: N815


class ValueRow(serializers.Serializer[Any]):
    """A value that is set; a secret one shows as `***`."""

    id = serializers.CharField()
    key = serializers.CharField()
    value = serializers.CharField()
    scope = serializers.ChoiceField(choices=ValueScope.values)
    tenantId = serializers.CharField(allow_null=True)  # noqa: N815
    description = serializers.CharField(allow_blank=True)
    isArchived = serializers.BooleanField()  # noqa: N815
    updatedAt = serializers.DateTimeField()  # noqa: N815
    version = serializers.IntegerField()


class ChangeRow(serializers.Serializer[Any]):
    """One revision; null stands for no value (before the first, after archiving)."""

    changedAt = serializers.DateTimeField()  # noqa: N815
    changedBy = serializers.CharField()  # noqa: N815
    oldValue = serializers.CharField(allow_null=True)  # noqa: N815
    newValue = serializers.CharField(allow_null=True)  # noqa: N815
    scope = serializers.ChoiceField(choices=ValueScope.values)
    tenantId = serializers.CharField(allow_null=True)  # noqa: N815


_FOUND: dict[str, Any] = {
    "type": "object",
    "properties": {
        "key": {"type": "string"},
        "value": {"type": ["string", "null"], "description": "Null: neither a value nor a default."},
        "source": {"type": "string", "enum": Origin.values},
    },
    "required": ["key", "value", "source"],
}


class PlatformConfig(service.ViewSet):
    """Values of the declared keys: tenant value before platform value before declared default."""

    tag = "Platform configuration"

    @reads(
        permission=service.SUPER_ADMIN,
        throttle="service",
        query=ValueFilters,
        answer=ValueRow,
        paged=True,
        refusals=[],
    )
    def list(self, call: Call) -> Page:
        """Values that are set, by key."""
        rows = selectors.list_values(
            call.actor,
            scope=call.query.get("scope"),
            tenant_id=call.query.get("tenantId"),
            key_prefix=call.query.get("key", ""),
            include_archived=call.query["includeArchived"],
        )
        return call.page(rows, lambda found: [value_row(row) for row in found])

    @changes(
        permission=service.SUPER_ADMIN,
        throttle="service.write",
        body=ValueBody,
        answer=ValueRow,
        target="configuration",
        refusals=[NotFound, Conflict, PreconditionFailed],
        links={
            "platformconfig_archive": {"id": "/id"},
            "platformconfig_history": {"key": "/key"},
            "configlookup_retrieve": {"key": "/key"},
        },
    )
    def upsert(self, call: Call) -> Answer:
        """Sets a key, for the platform or for one tenant; in force everywhere within 2 s.

        A TENANT value needs a `tenantId`, a PLATFORM value has none. `If-Match: 0` sets only where nothing is set
        yet. A former value is brought back by sending it again: a new revision.
        """
        body = call.body
        row = services.set_value(
            actor=call.actor,
            key=body["key"],
            value=body["value"],
            scope=body["scope"],
            tenant_id=body.get("tenantId"),
            description=body.get("description"),
            expected_version=call.if_match,
        )
        return Answer(value_row(row), version=row.version)

    @changes(
        permission=service.SUPER_ADMIN,
        throttle="service.write",
        answer=None,
        status=204,
        target="configuration",
        refusals=[NotFound, Conflict, PreconditionFailed],
    )
    def archive(self, call: Call) -> Answer:
        """Archives a value; the next look-up falls back."""
        value_id = ids.parse_or_none(CONFIG, call.path["id"])
        if value_id is None:
            raise ConfigNotFound
        services.archive_value(actor=call.actor, value_id=value_id, expected_version=call.if_match)
        return Answer(None, status=204)

    @reads(
        permission=service.SUPER_ADMIN,
        throttle="service",
        answer=ChangeRow,
        paged=True,
        paging=service.HISTORY,
    )
    def history(self, call: Call) -> Page:
        """The revisions of a key, newest first; secrets masked."""
        try:
            rows = selectors.history(call.actor, key=call.path["key"])
        except KeyUnknown:
            raise ConfigNotFound from None
        return call.page(rows, lambda found: [change_row(row) for row in found])


class ConfigLookUp(service.ViewSet):
    """What services ask, from memory."""

    tag = "Internal"

    @reads(permission=INTERNAL, throttle="service.internal", query=LookUp, answer=_FOUND)
    def retrieve(self, call: Call) -> Answer:
        """The value in force for a tenant, or for the platform; a secret in clear.

        Read from memory: a change is here within 2 s.
        """
        try:
            found = selectors.look_up(call.path["key"], call.query.get("tenantId"))
        except KeyUnknown:
            raise ConfigNotFound from None
        return Answer({"key": found.key, "value": found.value, "source": found.source})


def _tenant(tenant_id: UUID | None) -> str | None:
    return ids.public(ids.TENANT, tenant_id) if tenant_id is not None else None


def value_row(row: ConfigValue) -> dict[str, Any]:
    return {
        "id": row.public_id,
        "key": row.key,
        "value": row.shown,
        "scope": row.scope,
        "tenantId": _tenant(row.tenant_id),
        "description": row.description,
        "isArchived": row.is_archived,
        "updatedAt": row.updated_at,
        "version": row.version,
    }


def change_row(row: ConfigChange) -> dict[str, Any]:
    return {
        "changedAt": row.changed_at,
        "changedBy": row.changed_by,
        "oldValue": row.old_shown,
        "newValue": row.new_shown,
        "scope": row.scope,
        "tenantId": _tenant(row.tenant_id),
    }
