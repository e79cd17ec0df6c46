"""Refusals of the catalogue."""

from apps.core.errors import Conflict, Invalid, NotFound


class PlanNotFound(NotFound):
    code = "PLAN_NOT_FOUND"
    message = "There is no such plan."


class PlanInvalid(Invalid):
    code = "PLAN_INVALID"
    message = "The plan is not valid."


class SlugTaken(Conflict):
    code = "SLUG_TAKEN"
    message = "Another plan has this slug."


class SlugImmutable(Conflict):
    """contracts/platform.md, "Plans": immutable once the plan has subscribers."""

    code = "SLUG_IMMUTABLE"
    message = "The slug of a plan with subscribers can't be changed."


class StripeProductTaken(Conflict):
    code = "STRIPE_PRODUCT_TAKEN"
    message = "Another plan has this Stripe product."


class ManagedByStripe(Conflict):
    """contracts/platform.md, "Plans": for a mapped plan Stripe wins in name, active state and prices."""

    code = "MANAGED_BY_STRIPE"
    message = "Name, active state and prices of this plan come from Stripe."
