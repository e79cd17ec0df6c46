"""What an operator's override says, and what it may say. Pure.

Source: contracts/platform.md, "Tenants" (PATCH).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from apps.core.clock import iso, now
from apps.core.ids import PLAN, public
from apps.plans.limits import LARGEST, LIMITS
from apps.tenants.enums import BillingCycle, BillingOverrideType, PaymentMethod
from apps.tenants.models import BillingOverride, PlanOverride

_LARGEST_PRICE = Decimal(10) ** 12

Problems = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """Another plan (slug or id), price (major units, a month) or limits (null: unlimited) than the subscription's."""

    plan: str | None = None
    custom_pricing: bool | None = None
    price_monthly: Decimal | None = None
    limits: Mapping[str, int | None] = field(default_factory=dict)
    reason: str = ""
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BillingTerms:
    """Another way of paying. `trial_ends_at`, `cycle` and `method` belong to one type each."""

    type: str
    reason: str
    trial_ends_at: datetime | None = None
    cycle: str | None = None
    method: str | None = None
    ends_at: datetime | None = None


def plan_terms(override: PlanOverride | None) -> dict[str, Any] | None:
    """An override as the trail and the surfaces tell it; money in major units."""
    if override is None:
        return None
    return {
        "plan_id": public(PLAN, override.plan_id) if override.plan_id else None,
        "custom_pricing": override.custom_pricing,
        "price_monthly": float(override.price_monthly) if override.price_monthly is not None else None,
        "limits": override.limits,
        **_frame(override),
    }


def billing_terms(override: BillingOverride | None) -> dict[str, Any] | None:
    """As `plan_terms`."""
    if override is None:
        return None
    return {
        "type": override.type,
        "trial_end_date": override.trial_end_date.isoformat() if override.trial_end_date else None,
        "cycle": override.cycle or None,
        "method": override.method or None,
        **_frame(override),
    }


def _frame(override: PlanOverride | BillingOverride) -> dict[str, Any]:
    return {
        "reason": override.reason,
        "actor_id": override.actor_id,
        "effective_at": iso(override.effective_at),
        "ends_at": iso(override.ends_at) if override.ends_at else None,
    }


def last_day(ends: datetime) -> date:
    """The last day of a trial that ends then: an end at midnight is the end of the day before (UTC)."""
    return (ends.astimezone(UTC) - timedelta(microseconds=1)).date()


def plan_problems(terms: PlanTerms) -> Problems:
    """What is wrong, by field; empty where nothing is."""
    found: Problems = {}
    if terms.plan is None and terms.price_monthly is None and not terms.limits and not terms.custom_pricing:
        found["plan_override"] = ["Name a plan, a price, or limits."]
    if terms.custom_pricing and terms.price_monthly is None:
        found["plan_override.price_monthly"] = ["Custom pricing needs a price."]
    if terms.custom_pricing is False and terms.price_monthly is not None:
        found["plan_override.custom_pricing"] = ["A price is custom pricing."]
    if terms.price_monthly is not None and not _is_price(terms.price_monthly):
        found["plan_override.price_monthly"] = ["A price in major units, not negative, with two decimals."]
    for key, value in terms.limits.items():
        if key not in LIMITS:
            found[f"plan_override.limits.{key}"] = ["There is no such limit."]
        elif value is not None and not 0 <= value <= LARGEST:
            found[f"plan_override.limits.{key}"] = ["A whole number, not negative, or null for unlimited."]
    return found | _frame_problems("plan_override", terms.reason, terms.ends_at)


def _is_price(price: Decimal) -> bool:
    return price.is_finite() and 0 <= price < _LARGEST_PRICE and price == round(price, 2)


def billing_problems(terms: BillingTerms) -> Problems:
    """As `plan_problems`."""
    found: Problems = {}
    own = {
        BillingOverrideType.EXTENDED_TRIAL: ("trial_end_date", terms.trial_ends_at),
        BillingOverrideType.CUSTOM_CYCLE: ("cycle", terms.cycle),
        BillingOverrideType.PAYMENT_METHOD: ("method", terms.method),
    }
    if terms.type not in BillingOverrideType.values:
        found["billing_override.type"] = [f"One of {', '.join(BillingOverrideType.values)}."]
    for kind, (name, value) in own.items():
        if kind == terms.type and value is None:
            found[f"billing_override.{name}"] = [f"{kind.value} needs it."]
        if kind != terms.type and value is not None:
            found[f"billing_override.{name}"] = [f"Only with {kind.value}."]
    if terms.cycle is not None and terms.cycle not in BillingCycle.values:
        found["billing_override.cycle"] = [f"One of {', '.join(BillingCycle.values)}."]
    if terms.method is not None and terms.method not in PaymentMethod.values:
        found["billing_override.method"] = [f"One of {', '.join(PaymentMethod.values)}."]
    if terms.trial_ends_at is not None and terms.trial_ends_at <= now():
        found.setdefault("billing_override.trial_end_date", ["A day to come."])
    if not terms.reason.strip():
        found["billing_override.reason"] = ["This field is required."]
    return _frame_problems("billing_override", terms.reason, terms.ends_at) | found


def _frame_problems(name: str, reason: str, ends_at: datetime | None) -> Problems:
    found: Problems = {}
    if len(reason) > 500:
        found[f"{name}.reason"] = ["At most 500 characters."]
    if ends_at is not None and ends_at <= now():
        found[f"{name}.ends_at"] = ["A moment to come."]
    return found
