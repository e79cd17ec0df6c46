"""What single tenants are given against the rules."""

from typing import cast

from apps.approvals.services import Pending
from apps.core import ids
from apps.core.clock import iso
from apps.core.errors import Conflict, NotFound, Unprocessable
from apps.flags import selectors
from apps.flags.api.service.inputs import OverrideBody
from apps.flags.api.service.rows import OverrideRow, override_row, waiting
from apps.flags.errors import OverrideNotFound
from apps.flags.models import TenantOverride
from apps.flags.services.approved import change
from apps.surfaces import service
from apps.surfaces.kit.actions import changes, reads
from apps.surfaces.kit.answers import Answer, Page
from apps.surfaces.kit.calls import Call


class Overrides(service.ViewSet):
    """Tenants' overrides of a flag."""

    tag = "Feature flags"

    @reads(permission=service.SUPER_ADMIN, throttle="service", answer=OverrideRow, paged=True)
    def list(self, call: Call) -> Page:
        """Tenants' overrides, newest first."""
        rows = selectors.overrides_of_flag(call.actor, key=call.path["key"])
        return call.page(rows, lambda found: [override_row(row) for row in found])

    @changes(
        permission=service.SUPER_ADMIN,
        throttle="service.write",
        body=OverrideBody,
        answer=OverrideRow,
        also=[202],
        target="flag",
        refusals=[NotFound, Conflict, Unprocessable],
    )
    def upsert(self, call: Call) -> Answer:
        """Gives a tenant a variation whatever the rules say, until `expiresAt`."""
        body = call.body
        arguments = {
            "tenant_id": ids.public(ids.TENANT, body["tenantId"]),
            "enabled": body.get("enabled"),
            "variation": body.get("variation"),
            "expires_at": iso(body["expiresAt"]) if body.get("expiresAt") else None,
        }
        outcome = change(
            "set_override",
            actor=call.actor,
            key=call.path["key"],
            arguments=arguments,
            reason=body.get("reason") or "",
        )
        if isinstance(outcome, Pending):
            return waiting(outcome)
        return Answer(override_row(cast("TenantOverride", outcome)))

    @changes(
        permission=service.SUPER_ADMIN,
        throttle="service.write",
        answer=None,
        status=204,
        also=[202],
        target="flag",
        refusals=[NotFound, Conflict],
    )
    def remove(self, call: Call) -> Answer:
        """Removes a tenant's override."""
        tenant_id = ids.parse_or_none(ids.TENANT, call.path["tenantId"])
        if tenant_id is None:
            raise OverrideNotFound
        arguments = {"tenant_id": ids.public(ids.TENANT, tenant_id)}
        outcome = change("remove_override", actor=call.actor, key=call.path["key"], arguments=arguments)
        return waiting(outcome) if isinstance(outcome, Pending) else Answer(None, status=204)
