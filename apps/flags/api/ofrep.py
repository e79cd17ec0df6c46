"""OpenFeature's remote evaluation. Source: OFREP 0.3; contracts/service.md, "OpenFeature".

Most requests are answered before they get here (apps.flags.lane), by the same functions.
"""

import time
from typing import Any

from rest_framework import serializers

from apps.core.errors import NotFound
from apps.core.principal import Principal
from apps.flags.counting import counts
from apps.flags.engine import Context
from apps.flags.ofrep import REASONS, InvalidContext, context_of, tenant_of
from apps.flags.written import Written, staleness, written
from apps.surfaces.kit.actions import reads
from apps.surfaces.kit.answers import Prepared
from apps.surfaces.kit.calls import Call
from apps.surfaces.kit.fields import Text
from apps.surfaces.kit.inputs import Body, Query
from apps.surfaces.ofrep import ViewSet
from apps.surfaces.service import ANY_TOKEN

_REASONS = sorted({*REASONS.values(), "UNKNOWN"})
_CONTEXT_EXAMPLE = {"context": {"targetingKey": "user-17", "appVersion": "2.4.0"}}


class FlagUnknown(NotFound):
    code = "FLAG_NOT_FOUND"
    message = "There is no such flag."


class EvaluationRequest(Body):
    """What an SDK sends. Fields that later versions add are let through, as the protocol asks."""

    is_open = True
    context = serializers.DictField(  # type: ignore[assignment]  # the protocol names it so, DRF an attribute
        required=False, allow_null=True, help_text="Attributes; may be empty. tenantId names the tenant."
    )

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        return {"context": context_of(data)}


class Refetch(Query):
    """Sent by providers that were told of a change by an event stream; our answers are never older than that."""

    flagConfigEtag = Text(required=False, max_length=256)  # noqa: N815  as the protocol writes it
    flagConfigLastModified = Text(required=False, max_length=64)  # noqa: N815


class Resolution(serializers.Serializer[Any]):
    key = serializers.CharField()
    value = serializers.JSONField(help_text="Of the flag's type.")
    reason = serializers.ChoiceField(choices=_REASONS)
    variant = serializers.CharField()
    metadata = serializers.DictField(help_text="`reason`: why, in Steward's own words.")


class Resolutions(serializers.Serializer[Any]):
    flags = Resolution(many=True)


class Evaluation(ViewSet):
    """One flag, or all."""

    tag = "OFREP"

    @reads(
        permission=ANY_TOKEN,
        throttle="ofrep",
        body=EvaluationRequest,
        body_example=_CONTEXT_EXAMPLE,
        query=Refetch,
        answer=Resolution,
        refusals=[FlagUnknown],
    )
    def single(self, call: Call) -> Prepared:
        """Evaluates one flag.

        The tenant is the token's; a token with the scope SERVICE or SUPER_ADMIN and none of its own names it in the
        context, as `tenantId`.
        """
        answers, tenant_id, context = _asked(call.actor, call.body)
        decision = answers.snapshot.evaluate(call.path["key"], tenant_id, context, at=time.time())
        if decision is None:
            raise FlagUnknown
        counts.note(decision.key, decision.variation)
        return Prepared(answers.ofrep(decision), headers=staleness())

    @reads(
        permission=ANY_TOKEN,
        throttle="ofrep",
        body=EvaluationRequest,
        body_example=_CONTEXT_EXAMPLE,
        query=Refetch,
        answer=Resolutions,
        conditional=True,
        refusals=[],
    )
    def bulk(self, call: Call) -> Prepared:
        """Evaluates every flag.

        The ETag covers the flags, the tenant and the whole context.
        """
        answers, tenant_id, context = _asked(call.actor, call.body)
        at = time.time()
        counts.note_all()
        return Prepared(
            answers.ofrep_bulk(tenant_id, context, at=at),
            answers.ofrep_etag(tenant_id, context, at=at),
            staleness(),
        )


def _asked(principal: Principal, body: dict[str, Any]) -> tuple[Written, str | None, Context]:
    context = body.get("context") or {}
    tenant_id = tenant_of(principal, context)
    answers = written()
    if tenant_id is not None and not answers.snapshot.knows_tenant(tenant_id):
        raise InvalidContext("There is no tenant with this tenantId.")
    return answers, tenant_id, context
