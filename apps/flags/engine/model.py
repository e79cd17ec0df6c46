"""What flags are made of. Immutable; values of JSON stay as they are and must not be changed by whoever gets them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

# What a caller sends: attribute to JSON value.
Context: TypeAlias = Mapping[str, Any]

# Attributes of the tenant, known without being sent. What a caller sends under these names does not count.
FACTS = frozenset({"tenantId", "plan", "status", "tags", "country", "createdAt"})


class FlagType(StrEnum):
    BOOLEAN = "boolean"
    STRING = "string"
    NUMBER = "number"
    OBJECT = "object"


class Operator(StrEnum):
    """Source: contracts/service.md, section 2."""

    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    MATCHES = "matches"
    GREATER_THAN = "greater_than"
    LESS_THAN = "less_than"
    SEMVER_EQUALS = "semver_equals"
    SEMVER_GREATER_THAN = "semver_greater_than"
    SEMVER_LESS_THAN = "semver_less_than"
    BEFORE = "before"
    AFTER = "after"
    EXISTS = "exists"
    CIDR = "cidr"


class Reason(StrEnum):
    """Why a decision is what it is (contracts/service.md, section 3), in the order of evaluation."""

    ARCHIVED = "archived"
    OVERRIDE_ENABLED = "tenant_override_enabled"
    OVERRIDE_DISABLED = "tenant_override_disabled"
    PREREQUISITE_FAILED = "prerequisite_failed"
    RULE_MATCH = "rule_match"
    ROLLOUT = "rollout"
    DEFAULT_ENABLED = "default_enabled"
    DEFAULT_DISABLED = "default_disabled"


@dataclass(frozen=True, slots=True)
class Variation:
    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class Condition:
    """Either an attribute with an operator and a value, or a segment that the context must be in."""

    attribute: str = ""
    operator: Operator = Operator.EQUALS
    value: Any = None
    segment: str | None = None


@dataclass(frozen=True, slots=True)
class Split:
    """`weight` in buckets of 100,000: thousandths of a percent."""

    variation: str
    weight: int


@dataclass(frozen=True, slots=True)
class Rule:
    """Conditions joined by AND; serves one variation, or splits by the hash of `context_key`."""

    conditions: tuple[Condition, ...]
    variation: str | None = None
    split: tuple[Split, ...] = ()
    context_key: str = "tenantId"
    name: str = ""


@dataclass(frozen=True, slots=True)
class Rollout:
    """`share` in buckets of 100,000."""

    share: int
    context_key: str = "tenantId"


@dataclass(frozen=True, slots=True)
class Prerequisite:
    key: str
    variation: str


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag as it is evaluated. The first variation that is not `off_variation` is what "on" means."""

    key: str
    type: FlagType
    variations: tuple[Variation, ...]
    off_variation: str
    default_enabled: bool = False
    archived: bool = False
    rules: tuple[Rule, ...] = ()
    rollout: Rollout | None = None
    prerequisites: tuple[Prerequisite, ...] = ()
    hash: str = "murmur3"
    salt: str = ""

    @property
    def on_variation(self) -> str:
        return next(each.key for each in self.variations if each.key != self.off_variation)


@dataclass(frozen=True, slots=True)
class Segment:
    key: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Override:
    """What a tenant gets whatever the rules say, until `expires_at` (seconds since 1970; None: for good)."""

    flag: str
    tenant_id: str
    variation: str
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class TenantAttributes:
    """What is known of a tenant without being sent. `created_at`: RFC 3339."""

    tenant_id: str
    plan: str | None = None
    status: str | None = None
    tags: tuple[str, ...] = ()
    country: str | None = None
    created_at: str | None = None

    def facts(self) -> dict[str, Any]:
        """By the names that conditions use; null stands for absent."""
        return {
            "tenantId": self.tenant_id,
            "plan": self.plan,
            "status": self.status,
            "tags": list(self.tags),
            "country": self.country,
            "createdAt": self.created_at,
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """What a flag is for one tenant and context.

    Attributes:
        enabled: the variation is another than the off variation.
        rule: index of the rule that matched, from 0.
        rule_name: its name, or "".
        split: the rule or the rollout chose by the hash of a context key.
    """

    key: str
    enabled: bool
    value: Any = field(hash=False)
    variation: str
    reason: Reason
    rule: int | None = None
    rule_name: str = ""
    split: bool = False
