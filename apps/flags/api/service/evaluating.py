"""What a flag is for a tenant: for the tenant itself, and for services inside.

Most requests are answered before they get here (apps.flags.lane), by the same functions.
"""

import time
from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from apps.core import ids
from apps.core.errors import Forbidden, NotFound
from apps.core.principal import Principal
from apps.flags import selectors, services
from apps.flags.api.service.inputs import UsageBody
from apps.flags.api.service.rows import DecisionRow
from apps.flags.asking import question
from apps.flags.counting import counts
from apps.flags.errors import FlagNotFound
from apps.flags.models import Flag
from apps.flags.shapes import decision_body
from apps.flags.snapshot import holder
from apps.flags.written import Written, staleness, written
from apps.surfaces import service
from apps.surfaces.internal import INTERNAL
from apps.surfaces.kit.actions import changes, reads
from apps.surfaces.kit.answers import Answer, Page, Prepared
from apps.surfaces.kit.calls import Call
from apps.surfaces.kit.fields import TenantId
from apps.surfaces.kit.inputs import Query
from apps.tenants.errors import TenantNotFound


class NoTenant(Forbidden):
    message = "The token names no tenant."


class ForTenant(Query):
    tenantId = TenantId()  # noqa: N815  as the contract writes it


class Asked(Query):
    """The tenant; every other parameter is an attribute of the context, as text."""

    tenantId = TenantId()  # noqa: N815

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        return {"question": question(list(data.items()))}


class TenantFlagRow(DecisionRow):
    """A live flag as the caller's tenant has it."""

    description = serializers.CharField(allow_blank=True)


class BootstrapRow(serializers.Serializer[Any]):
    tenantId = serializers.CharField()  # noqa: N815
    revision = serializers.CharField(help_text="Changes whenever one of the flags may have.")
    flags = DecisionRow(many=True)


class Recorded(serializers.Serializer[Any]):
    recorded = serializers.IntegerField(help_text="Evaluations that were counted.")
    unknown = serializers.ListField(child=serializers.CharField(), help_text="Keys of no flag.")


class TenantFlags(service.ViewSet):
    """Flags in the caller's tenant context."""

    tag = "Feature flags of a tenant"

    @reads(
        permission=service.TENANT_ADMIN,
        throttle="service",
        answer=TenantFlagRow,
        paged=True,
        refusals=[NotFound],
    )
    def list(self, call: Call) -> Page:
        """Every live flag with the state that the tenant has."""
        tenant_id = _own_tenant(call.actor)
        _answers(tenant_id)
        return call.page(selectors.live_flags(), lambda found: tenant_rows(found, tenant_id))

    @reads(
        permission=service.ANY_TOKEN,
        throttle="service",
        answer=DecisionRow,
        refusals=[NotFound],
    )
    def evaluate(self, call: Call) -> Prepared:
        """One flag for the tenant of the token."""
        tenant_id = _own_tenant(call.actor)
        return _decided(_answers(tenant_id), call.path["key"], tenant_id, {})


class InternalFlags(service.ViewSet):
    """What services ask, from memory."""

    tag = "Internal"

    @reads(permission=INTERNAL, throttle="service.internal", query=Asked, answer=DecisionRow)
    def evaluate(self, call: Call) -> Prepared:
        """One flag for a tenant.

        Every parameter beside `tenantId` is an attribute of the context. Text that is written as a JSON number
        counts as that number where a rule holds a number.
        """
        asked = call.query["question"]
        return _decided(_answers(asked.tenant_id), call.path["key"], asked.tenant_id, asked.context)

    @reads(
        permission=INTERNAL,
        throttle="service.internal",
        query=ForTenant,
        answer=BootstrapRow,
        conditional=True,
        refusals=[NotFound],
    )
    def bootstrap(self, call: Call) -> Prepared:
        """Every flag for a tenant, archived ones too: they are off."""
        tenant_id = ids.public(ids.TENANT, call.query["tenantId"])
        body = _answers(tenant_id).bootstrap(tenant_id, at=time.time())
        return Prepared(body.content, body.etag, staleness())

    @changes(
        permission=INTERNAL,
        throttle="service.internal",
        body=UsageBody,
        answer=Recorded,
        target="flag",
        refusals=[],
    )
    def record_usage(self, call: Call) -> Answer:
        """Counts evaluations that a service made by itself, so that no flag in use looks forgotten."""
        sent = [
            services.Count(each["key"], each["count"], each.get("variation") or "", each.get("at"))
            for each in call.body["evaluations"]
        ]
        unknown = services.record_usage(actor=call.actor, counts=sent)
        recorded = sum(each.count for each in sent if each.key not in unknown)
        return Answer({"recorded": recorded, "unknown": unknown})


def tenant_rows(found: "Sequence[Flag]", tenant_id: str) -> "Sequence[dict[str, Any]]":
    """Flags with their state."""
    snapshot, at = holder.current_with(flag.key for flag in found), time.time()
    decided = [(flag, snapshot.evaluate(flag.key, tenant_id, {}, at=at)) for flag in found]
    return [
        {**decision_body(decision), "description": flag.description}
        for flag, decision in decided
        if decision is not None
    ]


def _own_tenant(principal: Principal) -> str:
    if principal.tenant_id is None:
        raise NoTenant
    return ids.public(ids.TENANT, principal.tenant_id)


def _answers(tenant_id: str) -> Written:
    """The answers of the present snapshot.

    Raises:
        TenantNotFound
    """
    answers = written()
    if not answers.snapshot.knows_tenant(tenant_id):
        raise TenantNotFound
    return answers


def _decided(answers: Written, key: str, tenant_id: str, context: dict[str, Any]) -> Prepared:
    decision = answers.snapshot.evaluate(key, tenant_id, context, at=time.time())
    if decision is None:
        raise FlagNotFound
    counts.note(decision.key, decision.variation)
    return Prepared(answers.decision(decision), headers=staleness())
