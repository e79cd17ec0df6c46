"""Choices of people."""

from django.db.models import TextChoices

from apps.core.access import Role


class MembershipRole(TextChoices):
    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    MEMBER = "member", "Member"


class UserStatus(TextChoices):
    """What is shown; suspended and blocked are two independent facts, and blocked is shown first."""

    ACTIVE = "active", "Active"
    SUSPENDED = "suspended", "Suspended"
    BLOCKED = "blocked", "Blocked"
    DELETED = "deleted", "Deleted"


class ErasureReason(TextChoices):
    """Why a person was erased. A code, since free text may hold what was to go."""

    REQUEST = "request", "The person asked for it (GDPR, article 17)"
    NO_LONGER_NEEDED = "no_longer_needed", "The data are no longer needed"
    UNLAWFUL = "unlawful", "There is no ground to keep them"


STAFF_ROLES: list[tuple[str, str]] = [
    (role.value, role.value.replace("_", " ").capitalize()) for role in Role
]
