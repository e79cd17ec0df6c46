"""What a plan may say. Pure; every refusal names the field.

Source: contracts/platform.md, "Plans": limits are positive integers or null for unlimited, unknown fields are
refused, `stripe_product_id` matches `prod_[A-Za-z0-9]+`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from apps.core import ids
from apps.plans.limits import CAPABILITIES, FEATURES, LARGEST, LIMITS

SLUG_PATTERN = r"[a-z0-9]+(?:[_-][a-z0-9]+)*"
STRIPE_PRODUCT_PATTERN = r"prod_[A-Za-z0-9]+"
CURRENCY_PATTERN = r"[A-Z]{3}"
# contracts/platform.md: literal segments of the surface.
RESERVED_SLUGS = frozenset({"test", "sync", "analytics", "provision"})
LARGEST_PRICE = 10**12
# Of a new plan.
REQUIRED = ("name", "slug", "price_monthly", "price_yearly")

Problems = dict[str, list[str]]


class PlanFields(TypedDict, total=False):
    """Fields of a plan in a write. Prices in minor units; `limits` and `features` may name some keys only."""

    name: str
    slug: str
    description: str
    is_active: bool
    stripe_product_id: str | None
    price_monthly: int
    price_yearly: int
    currency: str
    trial_days: int
    limits: Mapping[str, int | None]
    features: Mapping[str, bool]
    capabilities: Sequence[str]


def problems_of(fields: PlanFields) -> Problems:
    """What is wrong, by field; empty where nothing is."""
    found: Problems = {}
    for name, check in _CHECKS.items():
        if name in fields and (sentence := check(fields[name])):  # type: ignore[literal-required]  # keys of PlanFields
            found[name] = [sentence]
    found |= _limit_problems(fields.get("limits", {}))
    found |= _feature_problems(fields.get("features", {}))
    return found


def _text(least: int, most: int) -> Any:
    def check(value: str) -> str:
        return "" if least <= len(value) <= most else f"Between {least} and {most} characters."

    return check


def _price(value: int) -> str:
    return "" if 0 <= value <= LARGEST_PRICE else "A whole number of minor units, not negative."


def _slug(value: str) -> str:
    if len(value) > 63 or not re.fullmatch(SLUG_PATTERN, value):
        return "Lower-case letters, digits, inner hyphens and underscores, at most 63."
    if value in RESERVED_SLUGS or ids.parse_or_none(ids.PLAN, value) is not None:
        return "This slug is reserved."
    return ""


def _stripe_product(value: str | None) -> str:
    if value is None or (len(value) <= 120 and re.fullmatch(STRIPE_PRODUCT_PATTERN, value)):
        return ""
    return "A Stripe product is written prod_ and letters or digits."


def _currency(value: str) -> str:
    return "" if re.fullmatch(CURRENCY_PATTERN, value) else "Three capital letters (ISO 4217)."


def _trial_days(value: int) -> str:
    return "" if 0 <= value <= 365 else "Between 0 and 365 days."


def _capabilities(value: Sequence[str]) -> str:
    unknown = sorted(set(value) - set(CAPABILITIES))
    if unknown:
        return f"Unknown: {', '.join(unknown)}. Known: {', '.join(CAPABILITIES)}."
    return "" if len(set(value)) == len(value) else "Each at most once."


_CHECKS: dict[str, Any] = {
    "name": _text(1, 120),
    "slug": _slug,
    "description": _text(0, 2000),
    "stripe_product_id": _stripe_product,
    "price_monthly": _price,
    "price_yearly": _price,
    "currency": _currency,
    "trial_days": _trial_days,
    "capabilities": _capabilities,
}


def _limit_problems(limits: Mapping[str, object]) -> Problems:
    found: Problems = {}
    for key, value in limits.items():
        if key not in LIMITS:
            found[key] = ["There is no such limit."]
        elif value is not None and (
            isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST
        ):
            found[key] = ["A positive whole number, or null for unlimited."]
    return found


def _feature_problems(features: Mapping[str, object]) -> Problems:
    found: Problems = {}
    for key, value in features.items():
        if key not in FEATURES:
            found[key] = ["There is no such feature."]
        elif not isinstance(value, bool):
            found[key] = ["true or false."]
    return found
