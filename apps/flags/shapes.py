"""How answers look: one function a body, for the ordinary views and for the path in front of them."""

from typing import Any

from apps.core import ids
from apps.flags.engine import Decision, Explanation


def decision_body(decision: Decision) -> dict[str, Any]:
    """`{key, enabled, value, variation, reason}`."""
    return {
        "key": decision.key,
        "enabled": decision.enabled,
        "value": decision.value,
        "variation": decision.variation,
        "reason": decision.reason.value,
    }


def explanation_body(explanation: Explanation) -> dict[str, Any]:
    return {
        "decision": decision_body(explanation.decision),
        "trace": [
            {"step": each.step, "outcome": each.outcome, "detail": each.detail} for each in explanation.trace
        ],
    }


def canonical_tenant_id(text: str) -> str | None:
    """A tenant's id as the snapshot knows it, from any spelling (`tn_…`, `ten_…`, lower case); None for no id."""
    found = ids.parse_or_none(ids.TENANT, text)
    return ids.public(ids.TENANT, found) if found is not None else None
