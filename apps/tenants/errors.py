"""Refusals about tenants."""

from apps.core.errors import Conflict, Invalid, NotFound, Unavailable


class TenantNotFound(NotFound):
    code = "TENANT_NOT_FOUND"
    message = "There is no such tenant."


class TenantInvalid(Invalid):
    """`details` is {field: [sentences]}."""

    code = "TENANT_INVALID"
    message = "The request is not valid."


class SlugTaken(Conflict):
    """Taken by a tenant, or by one that was purged: slugs are not given twice."""

    code = "SLUG_TAKEN"
    message = "This slug is taken."


class AlreadyInStatus(Conflict):
    code = "ALREADY_IN_STATUS"
    message = "The tenant has this status already."


class InvalidTransition(Conflict):
    """The life cycle has no such move (design/domain.md). Surfaces tell it from other conflicts by its code."""

    code = "INVALID_TRANSITION"
    message = "The tenant can't go there from its present status."


class TrialEnded(InvalidTransition):
    code = "TRIAL_ENDED"
    message = "The trial has ended: extend it first, or activate the tenant."


class RetentionOver(InvalidTransition):
    code = "RETENTION_OVER"
    message = "The tenant was cancelled too long ago to come back."


class NotOnTrial(Conflict):
    code = "NOT_ON_TRIAL"
    message = "The tenant is not on trial."


class BeingPurged(Conflict):
    code = "BEING_PURGED"
    message = "The tenant is being purged."


class PurgeIncomplete(Unavailable):
    """Somebody wrote something for the tenant while its stores were emptied; `details["remaining"]`: {store: rows}."""

    code = "PURGE_INCOMPLETE"
    message = "Something of the tenant was written while it was removed; it is tried again."


class PurgeBlocked(Conflict):
    """`details["blockers"]`: sentences of those who object."""

    code = "PURGE_BLOCKED"
    message = "The tenant can't be purged yet."


class OverrideInvalid(Invalid):
    """`details` is {field: [sentences]}."""

    code = "OVERRIDE_INVALID"
    message = "The override is not valid."


class KeyNotFound(NotFound):
    code = "KEY_NOT_FOUND"
    message = "The tenant has no key in force."


class PlanUnknown(Invalid):
    """`PLAN_NOT_FOUND` is control's name for it, and 422 there (contracts/control.md, "Errors")."""

    code = "PLAN_NOT_FOUND"
    message = "There is no such plan to be had."
