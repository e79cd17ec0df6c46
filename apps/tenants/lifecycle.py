"""The life cycle of a tenant: one table for five surfaces, and what each of them calls a status. Pure.

Source: design/domain.md, "Tenant status".
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.tenants.enums import TenantStatus
from apps.tenants.errors import AlreadyInStatus, InvalidTransition, RetentionOver, TrialEnded

TRANSITIONS: dict[TenantStatus, frozenset[TenantStatus]] = {
    TenantStatus.PROVISIONING: frozenset({TenantStatus.TRIAL, TenantStatus.ACTIVE}),
    TenantStatus.TRIAL: frozenset({TenantStatus.ACTIVE, TenantStatus.SUSPENDED, TenantStatus.CANCELLED}),
    TenantStatus.ACTIVE: frozenset({TenantStatus.SUSPENDED, TenantStatus.CANCELLED}),
    TenantStatus.SUSPENDED: frozenset({TenantStatus.TRIAL, TenantStatus.ACTIVE, TenantStatus.CANCELLED}),
    TenantStatus.CANCELLED: frozenset({TenantStatus.ACTIVE}),
}

WORDS: dict[str, dict[TenantStatus, str]] = {
    "platform": {
        TenantStatus.PROVISIONING: "trial",
        TenantStatus.TRIAL: "trial",
        TenantStatus.ACTIVE: "active",
        TenantStatus.SUSPENDED: "suspended",
        TenantStatus.CANCELLED: "churned",
    },
    "automation": {
        TenantStatus.PROVISIONING: "provisioning",
        TenantStatus.TRIAL: "trial",
        TenantStatus.ACTIVE: "active",
        TenantStatus.SUSPENDED: "suspended",
        TenantStatus.CANCELLED: "cancelled",
    },
    "control": {
        TenantStatus.PROVISIONING: "provisioning",
        TenantStatus.TRIAL: "active",
        TenantStatus.ACTIVE: "active",
        TenantStatus.SUSPENDED: "suspended",
        TenantStatus.CANCELLED: "deactivated",
    },
}


def word(surface: str, status: str) -> str:
    """What a surface calls a stored status. Raises KeyError for a surface without words."""
    return WORDS[surface][TenantStatus(status)]


def words(surface: str) -> list[str]:
    """The words of a surface, each once, in the order of the life cycle."""
    return list(dict.fromkeys(WORDS[surface].values()))


def stored(surface: str, wanted: str) -> list[TenantStatus]:
    """The stored statuses behind a word; none for a word that the surface does not have."""
    return [status for status, called in WORDS[surface].items() if called == wanted]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a move depends on. `suspended_from` is "" unless the tenant is suspended."""

    status: TenantStatus
    suspended_from: str = ""
    trial_ends_at: datetime | None = None
    cancelled_at: datetime | None = None


def check(standing: Standing, to: TenantStatus, *, at: datetime, retention: timedelta) -> None:
    """Whether the tenant may go to `to` at that moment; a cancelled one comes back within `retention`.

    Raises:
        AlreadyInStatus: it is there.
        TrialEnded: back to a trial whose end has passed.
        RetentionOver: reinstated too long after it was cancelled.
        InvalidTransition: any other move that the table does not have.
    """
    here = standing.status
    if here == to:
        raise AlreadyInStatus(f"The tenant is {here.label.lower()} already.")
    if to not in TRANSITIONS[here]:
        raise InvalidTransition(f"A tenant can't go from {here.value} to {to.value}.")
    if here == TenantStatus.SUSPENDED and to == TenantStatus.TRIAL:
        if standing.suspended_from != TenantStatus.TRIAL:
            raise InvalidTransition("An active tenant can't go back to a trial.")
        if standing.trial_ends_at is None or standing.trial_ends_at <= at:
            raise TrialEnded
    if here == TenantStatus.CANCELLED and (
        standing.cancelled_at is None or standing.cancelled_at + retention <= at
    ):
        raise RetentionOver


def reinstated(standing: Standing) -> TenantStatus:
    """Where a reinstated tenant goes: back to where it was suspended from, or from cancelled to active.

    Raises:
        InvalidTransition: it is neither suspended nor cancelled.
    """
    if standing.status == TenantStatus.SUSPENDED:
        return TenantStatus(standing.suspended_from)
    if standing.status == TenantStatus.CANCELLED:
        return TenantStatus.ACTIVE
    if standing.status == TenantStatus.ACTIVE:
        raise AlreadyInStatus("The tenant is active already.")
    raise InvalidTransition(f"A tenant that is {standing.status.value} needs no reinstatement.")
