"""How people look: statuses with their colours, roles, titles."""

from collections.abc import Sequence

from apps.backoffice import cells
from apps.backoffice.seen import Seen
from apps.tenants.enums import TenantStatus
from apps.users.enums import UserStatus
from apps.users.models import Membership, User

# contracts/backoffice.md, "Users": suspended red.
TONES: dict[str, str] = {
    UserStatus.ACTIVE: "green",
    UserStatus.SUSPENDED: "red",
    UserStatus.BLOCKED: "red",
    UserStatus.DELETED: "grey",
}


def status(user: User) -> tuple[str, str]:
    return user.status.value, TONES[user.status]


def badges(user: User) -> list[tuple[str, str]]:
    """The status; suspended too where a block stands before it; staff roles."""
    found = [status(user)]
    if user.status is UserStatus.BLOCKED and user.suspended_at is not None:
        found.append((UserStatus.SUSPENDED.value, "red"))
    return [*found, *((role, "teal") for role in sorted(user.staff_roles))]


def title(user: User, seen: Seen) -> str:
    """The name, or the e-mail address where there is none."""
    return seen.name(user.name) if user.name else seen.email(user.email)


def plan(membership: Membership | None) -> cells.Cell:
    """The plan in force; of a churned tenant orange (contracts/backoffice.md, "Users")."""
    if membership is None:
        return cells.NOTHING
    tenant = membership.tenant
    churned = tenant.status == TenantStatus.CANCELLED
    return cells.badge(
        tenant.effective_plan.name, "orange" if churned else "plain", "churned" if churned else ""
    )


def roles(names: Sequence[str]) -> cells.Cell:
    return cells.badges([(name, "teal" if name == "super_admin" else "plain") for name in names])
