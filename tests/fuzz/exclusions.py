"""What the fuzz run does not ask of a surface, and why. docs/surfaces.md, "Fuzzing", says the same in words."""

from collections.abc import Mapping
from typing import Any

from apps.plans.limits import FEATURES, LIMITS

# Refusals that a request in the document's words may get: what only the database knows (no such thing, not in this
# state, another version by now, locked, waiting for a second person).
_OF_STATE = ["401", "403", "404", "409", "412", "422", "423", "429"]

CHECKS: Mapping[str, Any] = {
    "positive_data_acceptance": {"expected-statuses": ["2xx", "304", *_OF_STATE]},
    "negative_data_rejection": {"expected-statuses": ["400", "405", "413", "415", *_OF_STATE]},
}

_PLATFORM = "/api/v1/platform/admin"
_TWICE = "flat and nested with two values"
_FLAT = dict.fromkeys((*LIMITS, *FEATURES), _TWICE)

_FLAGS, _SEGMENTS = "/api/v1/admin/flags", "/api/v1/admin/segments"
_FREE = {"body": "whole numbers in free values have at most 38 digits"}
_DEFINITION = {
    **_FREE,
    "rules": "operators have values of their own, weights add up, variations and segments exist",
    "variations": "of the flag's type, each key once; of a boolean flag the one that on means is true",
    "offVariation": "one of the variations; of a boolean flag one that is false",
    "rollout": "at most three decimals",
    "prerequisites": "flags that exist, without a circle",
    "tags": "each once",
}

# Fields that may be refused (400) although they are as the document writes them: the value is looked up, or judged
# with another field beside it, and a JSON schema of one field can't say so. By route; "*" for all of them.
JUDGED: Mapping[str, Mapping[str, str]] = {
    "*": {
        "cursor": "signed by Steward",
        "X-API-Version": "a date that is not in the future",
        "validate_only": "not where another system is asked",
    },
    "GET /admin/tenants": {"plan_id": "a plan of the catalogue"},
    "PATCH /api/admin/users/{userId}": {
        "body": "a tenant alone names nothing to change",
        "tenantId": "one of the user's, and only with a role",
        "role": "the user is a member of some tenant, of one only where none is named",
    },
    f"DELETE {_PLATFORM}/users/{{id}}": {"confirmation": "the person's own address"},
    f"PATCH {_PLATFORM}/users/{{id}}": {
        "body": "a tenant alone names nothing to change",
        "tenant_id": "one of the user's, and only with a role",
        "role": "the user is a member of some tenant, of one only where none is named",
    },
    f"PATCH {_PLATFORM}/tenants/{{id}}": {
        "plan_override": "a plan of the catalogue, and a price exactly with custom pricing",
        "billing_override": "each type has its own field beside it",
    },
    f"POST {_PLATFORM}/tenants/test": {"plan": "a plan of the catalogue"},
    f"POST {_PLATFORM}/plans": {**_FLAT, "slug": "not a reserved one"},
    f"PUT {_PLATFORM}/plans/{{id}}": {**_FLAT, "slug": "not a reserved one"},
    "POST /internal/admin/health/sources": {"url": "an address that can be read, and is not a forbidden one"},
    "POST /ofrep/v1/evaluate/flags/{key}": {**_FREE, "context": "tenantId is one that the token speaks for"},
    "POST /ofrep/v1/evaluate/flags": {**_FREE, "context": "tenantId is one that the token speaks for"},
    f"POST {_FLAGS}/{{key}}/explain": _FREE,
    f"POST {_FLAGS}": _DEFINITION,
    f"PATCH {_FLAGS}/{{key}}": _DEFINITION,
    f"POST {_FLAGS}/{{key}}/tenant-overrides": {
        "enabled": "either this or a variation",
        "variation": "one of the flag's",
        "expiresAt": "ahead",
    },
    f"POST {_FLAGS}/{{key}}/schedule": {**_DEFINITION, "at": "ahead", "change": "as the body of a PATCH"},
    f"POST {_SEGMENTS}": {**_FREE, "conditions": "operators have values of their own"},
    f"PATCH {_SEGMENTS}/{{key}}": {**_FREE, "conditions": "operators have values of their own"},
    f"PATCH {_PLATFORM}/tenants/{{id}}/feature-flags": {"flags": "flags that exist, each once"},
    "POST /api/v1/admin/platform-config": {
        "key": "a declared one, of this scope",
        "value": "as the key's type has it",
        "tenantId": "with the scope TENANT only, and a tenant that exists",
    },
}
