"""A tenant's flags on the platform surface (contracts/platform.md, "Tenants"): the engine of the surface `service`."""

import time
from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from apps.core.errors import Conflict, Invalid, NotFound
from apps.flags import selectors, services
from apps.flags.engine import Reason
from apps.flags.engine.reading import LONGEST_KEY
from apps.flags.models import Flag
from apps.flags.snapshot import holder
from apps.surfaces import platform
from apps.surfaces.kit.actions import changes, reads
from apps.surfaces.kit.answers import Answer, Page
from apps.surfaces.kit.calls import Call
from apps.surfaces.kit.fields import Flag as Bool
from apps.surfaces.kit.fields import Items, Text
from apps.surfaces.kit.inputs import Body
from apps.tenants import selectors as tenants
from apps.tenants.models import Tenant


class FlagState(Body):
    flag_name = Text(max_length=LONGEST_KEY, trim_whitespace=False)
    enabled = Bool()


class FlagsBody(Body):
    """Each flag once; all are set, or none."""

    flags = Items(child=FlagState(), min_length=1, max_length=100)
    reason = Text(max_length=500)


class FlagStateRow(serializers.Serializer[Any]):
    """A live flag as the tenant has it."""

    flag_name = serializers.CharField()
    enabled = serializers.BooleanField()
    reason = serializers.ChoiceField(choices=[each.value for each in Reason])
    updated_at = serializers.DateTimeField(help_text="Of the tenant's override, else of the flag.")


class FlagsUpdated(serializers.Serializer[Any]):
    tenant_id = serializers.CharField()
    flags_updated = serializers.IntegerField()
    updated_at = serializers.DateTimeField()


class TenantFlags(platform.ViewSet):
    """What is on for a tenant."""

    @reads(
        permission="flags.read",
        throttle="platform",
        answer=FlagStateRow,
        paged=True,
        collection="flags",
    )
    def list(self, call: Call) -> Page:
        """Live flags by name, as the tenant has them."""
        tenant = tenants.tenant(call.actor, call.path["id"], permission="flags.read")
        return call.page(selectors.live_flags(), lambda found: state_rows(found, tenant))

    @changes(
        permission="flags.override",
        throttle="platform",
        body=FlagsBody,
        answer=FlagsUpdated,
        target="flag",
        refusals=[NotFound, Conflict],
    )
    def update(self, call: Call) -> Answer:
        """Sets flags for the tenant, whatever their rules say; one unknown flag, and none is set."""
        tenant = tenants.tenant(call.actor, call.path["id"], permission="flags.override")
        sent = call.body["flags"]
        enabled = {each["flag_name"]: each["enabled"] for each in sent}
        if len(enabled) < len(sent):
            raise Invalid(details={"flags": ["A flag stands twice."]})
        at = services.set_overrides_of_tenant(
            actor=call.actor, tenant_id=tenant.id, enabled=enabled, reason=call.body["reason"]
        )
        return Answer({"tenant_id": tenant.public_id, "flags_updated": len(enabled), "updated_at": at})


def state_rows(found: "Sequence[Flag]", tenant: Tenant) -> "Sequence[dict[str, Any]]":
    """Flags with the tenant's state; one query for its overrides."""
    overridden = {row.flag_id: row.updated_at for row in selectors.overrides_of_tenant(tenant.id)}
    snapshot, at = holder.current_with(flag.key for flag in found), time.time()
    decided = [(flag, snapshot.evaluate(flag.key, tenant.public_id, {}, at=at)) for flag in found]
    return [
        {
            "flag_name": flag.key,
            "enabled": decision.enabled,
            "reason": decision.reason.value,
            "updated_at": overridden.get(flag.pk, flag.updated_at),
        }
        for flag, decision in decided
        if decision is not None
    ]
