"""Where every read of people starts."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.core.access import Reach, Role, reach
from apps.core.principal import Principal, PrincipalKind
from apps.users.enums import UserStatus
from apps.users.models import Membership, StaffMember, User


def visible_to(principal: Principal, permission: str = "users.read") -> QuerySet[User]:
    """The people whom the caller reaches with a permission; none without it.

    `qa` reaches people whose every membership is in a test tenant, at least one of them, and never staff: a person
    who also works for a real customer is that customer's, and a member of staff is ours. Steward itself (jobs,
    commands) reaches all.
    """
    if principal.kind is PrincipalKind.SYSTEM:
        return User.objects.all()
    how = reach(principal, permission)
    if how is Reach.ALL:
        return User.objects.all()
    if how is None:
        return User.objects.none()
    own = Membership.objects.filter(user=OuterRef("pk"))
    return User.objects.filter(
        Exists(own.filter(tenant__is_test=True)),
        ~Exists(own.filter(tenant__is_test=False)),
        ~Exists(StaffMember.objects.filter(user=OuterRef("pk"))),
    )


def with_status(people: QuerySet[User], status: UserStatus) -> QuerySet[User]:
    """Those who are shown with this status: blocked comes before suspended. Nobody in the table is deleted."""
    shown = {
        UserStatus.ACTIVE: Q(blocked_at=None, suspended_at=None),
        UserStatus.SUSPENDED: Q(blocked_at=None, suspended_at__isnull=False),
        UserStatus.BLOCKED: Q(blocked_at__isnull=False),
    }
    return people.filter(shown[status]) if status in shown else people.none()


def active_super_admins() -> QuerySet[StaffMember]:
    """Those who can still put things right: active as staff, neither suspended nor blocked."""
    return StaffMember.objects.filter(
        is_active=True,
        roles__contains=[Role.SUPER_ADMIN.value],
        user__suspended_at=None,
        user__blocked_at=None,
    )
