"""OpenFeature's words for what is asked and answered. Source: OFREP 0.3."""

from collections.abc import Mapping
from typing import Any

from apps.core import ids
from apps.core.errors import Invalid
from apps.core.principal import Principal
from apps.flags.engine import Context, Decision, Reason
from apps.flags.shapes import canonical_tenant_id
from apps.surfaces.service import SERVICE, SUPER_ADMIN

REASONS: Mapping[Reason, str] = {
    Reason.ARCHIVED: "DISABLED",
    Reason.OVERRIDE_ENABLED: "TARGETING_MATCH",
    Reason.OVERRIDE_DISABLED: "TARGETING_MATCH",
    Reason.PREREQUISITE_FAILED: "DISABLED",
    Reason.RULE_MATCH: "TARGETING_MATCH",
    Reason.ROLLOUT: "SPLIT",
    Reason.DEFAULT_ENABLED: "STATIC",
    Reason.DEFAULT_DISABLED: "STATIC",
}
_ANY_TENANT = frozenset({SERVICE, SUPER_ADMIN})


class InvalidContext(Invalid):
    code = "INVALID_CONTEXT"
    message = "The context is not valid."


def ofrep_body(decision: Decision) -> dict[str, Any]:
    """One decision as evaluationSuccess; our own reason stands in the metadata."""
    split = decision.split and decision.reason is Reason.RULE_MATCH
    return {
        "key": decision.key,
        "value": decision.value,
        "reason": "SPLIT" if split else REASONS[decision.reason],
        "variant": decision.variation,
        "metadata": {"reason": decision.reason.value},
    }


def context_of(body: object) -> Context:
    """The context of an evaluationRequest; left out or null, it is empty.

    Raises:
        InvalidContext: body or context is no object.
    """
    if not isinstance(body, Mapping):
        raise InvalidContext("A JSON object is expected.")
    context = body.get("context")
    if context is None:
        return {}
    if not isinstance(context, Mapping):
        raise InvalidContext("The context is a JSON object.")
    return context


def tenant_of(principal: Principal, context: Context) -> str | None:
    """For which tenant is asked: the token's own; with the scope SERVICE or SUPER_ADMIN, `tenantId` of the context.

    None where there is neither: then the tenant's attributes are absent.

    Raises:
        InvalidContext: `tenantId` is no id, or another than the caller may ask for. Whether there is such a tenant
            is not told here.
    """
    named = context.get("tenantId")
    own = ids.public(ids.TENANT, principal.tenant_id) if principal.tenant_id is not None else None
    if named is None:
        return own
    asked = canonical_tenant_id(named) if isinstance(named, str) else None
    if asked is None:
        raise InvalidContext("tenantId is written tnt_ and 26 characters.")
    if asked != own and not (own is None and principal.scopes & _ANY_TENANT):
        raise InvalidContext("The token does not speak for this tenantId.")
    return asked
