"""Definitions of flags, their history, and why a tenant gets what it gets."""

import time
from typing import Any, cast

from rest_framework import serializers

from apps.approvals.services import Pending
from apps.core import ids
from apps.core.errors import Conflict, NotFound, PreconditionFailed
from apps.flags import selectors, services
from apps.flags.api.service.inputs import ExplainBody, FlagBody, FlagFilters, FlagPatch
from apps.flags.api.service.rows import (
    REFUSALS,
    DecisionRow,
    FlagChangeRow,
    FlagRow,
    as_json,
    change_row,
    flag_row,
    waiting,
)
from apps.flags.errors import FlagNotFound, VersionNotFound
from apps.flags.services.approved import change
from apps.flags.shapes import explanation_body
from apps.flags.snapshot import holder
from apps.flags.written import staleness
from apps.surfaces import service
from apps.surfaces.kit.actions import changes, reads
from apps.surfaces.kit.answers import Answer, Page
from apps.surfaces.kit.calls import Call
from apps.tenants.errors import TenantNotFound

_EXAMPLE = {
    "key": "checkout.express",
    "description": "One-page checkout",
    "defaultEnabled": False,
    "rules": [
        {
            "name": "paying customers in Europe",
            "conditions": [
                {"attribute": "plan", "operator": "in", "value": ["professional", "enterprise"]},
                {"attribute": "country", "operator": "in", "value": ["DE", "FR"]},
            ],
            "variation": "on",
        }
    ],
    "rollout": {"percentage": 12.5},
    "tags": ["checkout"],
}


class StepRow(serializers.Serializer[Any]):
    step = serializers.CharField()
    outcome = serializers.CharField()
    detail = serializers.CharField()


class Explained(serializers.Serializer[Any]):
    decision = DecisionRow()
    trace = StepRow(many=True)


class Flags(service.ViewSet):
    """Feature flags: definitions, history, restore, explain."""

    tag = "Feature flags"

    @reads(
        permission=service.SUPER_ADMIN,
        throttle="service",
        query=FlagFilters,
        answer=FlagRow,
        paged=True,
        refusals=[],
    )
    def list(self, call: Call) -> Page:
        """Flags, by key."""
        rows = selectors.list_flags(call.actor, **call.query)
        return call.page(rows, lambda found: [flag_row(flag) for flag in found])

    @reads(permission=service.SUPER_ADMIN, throttle="service", answer=FlagRow, refusals=[NotFound])
    def retrieve(self, call: Call) -> Answer:
        """One flag."""
        flag = selectors.get_flag(call.actor, call.path["key"])
        return Answer(flag_row(flag), version=flag.version)

    @changes(
        permission=service.SUPER_ADMIN,
        throttle="service.write",
        body=FlagBody,
        body_example=_EXAMPLE,
        answer=FlagRow,
        status=201,
        target="flag",
        refusals=[Conflict],
    )
    def create(self, call: Call) -> Answer:
        """Creates a flag."""
        fields = dict(call.body)
        key = fields.pop("key")
        fields["owner"] = fields.get("owner") or ""
        flag = services.create_flag(actor=call.actor, key=key, fields=cast("services.FlagFields", fields))
        return Answer(flag_row(flag, overrides_count=0), status=201, version=flag.version)

    @changes(
        permission=service.SUPER_ADMIN,
        throttle="service.write",
        body=FlagPatch,
        answer=FlagRow,
        also=[202],
        target="flag",
        refusals=REFUSALS,
    )
    def partial_update(self, call: Call) -> Answer:
        """Changes a flag; in force everywhere within 2 s, normally within milliseconds.

        Lists are replaced as a whole. A flag that needs a second person answers 202.
        """
        return self._changed(call, "update", {"fields": as_json(call.body)})

    @changes(
        permission=service.SUPER_ADMIN,
        throttle="service.write",
        answer=None,
        status=204,
        also=[202],
        target="flag",
        refusals=REFUSALS,
    )
    def archive(self, call: Call) -> Answer:
        """Archives a flag: it evaluates to off, and its key stays taken."""
        key = call.path["key"]
        outcome = change("archive", actor=call.actor, key=key, if_match=call.if_match)
        return waiting(outcome) if isinstance(outcome, Pending) else Answer(None, status=204)

    @reads(
        permission=service.SUPER_ADMIN,
        throttle="service",
        answer=FlagChangeRow,
        paged=True,
        paging=service.HISTORY,
    )
    def history(self, call: Call) -> Page:
        """Changes of a flag and of its overrides, newest first."""
        rows = selectors.history(call.actor, key=call.path["key"])
        return call.page(rows, lambda found: [change_row(row) for row in found])

    @changes(
        permission=service.SUPER_ADMIN,
        throttle="service.write",
        answer=FlagRow,
        also=[202],
        target="flag",
        refusals=[NotFound, Conflict, PreconditionFailed],
    )
    def restore(self, call: Call) -> Answer:
        """Makes a former version the newest one; an archived flag comes back by it."""
        text = call.path["version"]
        if not (text.isascii() and text.isdigit() and len(text) <= 9):
            raise VersionNotFound
        return self._changed(call, "restore", {"version": int(text)})

    @reads(
        permission=service.SUPER_ADMIN,
        throttle="service",
        body=ExplainBody,
        answer=Explained,
        refusals=[NotFound],
    )
    def explain(self, call: Call) -> Answer:
        """What a tenant gets, and every step and rule that was tried on the way."""
        snapshot = holder.current_with([call.path["key"]])
        tenant_id = ids.public(ids.TENANT, call.body["tenantId"])
        if not snapshot.knows_tenant(tenant_id):
            raise TenantNotFound
        context = call.body.get("context", {})
        found = snapshot.explain(call.path["key"], tenant_id, context, at=time.time())
        if found is None:
            raise FlagNotFound
        return Answer(explanation_body(found), headers=staleness())

    def _changed(self, call: Call, operation: str, arguments: dict[str, Any]) -> Answer:
        key = call.path["key"]
        outcome = change(operation, actor=call.actor, key=key, arguments=arguments, if_match=call.if_match)
        if isinstance(outcome, Pending):
            return waiting(outcome)
        flag = selectors.get_flag(call.actor, key)
        return Answer(flag_row(flag), version=flag.version)
