"""What people contribute to the home page."""

from datetime import UTC, datetime, time, timedelta
from urllib.parse import urlencode

from allauth.mfa.models import Authenticator
from django.db.models import Count, Exists, Max, OuterRef, Q
from django.db.models.functions import TruncDate

from apps.backoffice import cells
from apps.backoffice.home import DayChart, Figure, Matter, Matters, Panel, home
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.core.clock import now
from apps.core.models import FailedAttempt
from apps.core.principal import Principal
from apps.users.admin import looks
from apps.users.models import StaffMember
from apps.users.querysets import visible_to
from apps.users.selectors import unfinished_erasures
from apps.users.services.erasure import FINISH_JOB

_SHOWN = 5
_DAYS = 90
_MANY = 10  # failures an hour: nobody mistypes that often
_LONG = timedelta(hours=1)


def figures(principal: Principal) -> list[Figure]:
    people = visible_to(principal)
    week = people.filter(created_at__gte=now() - timedelta(days=7)).count()
    return [Figure("Users", people.count(), f"{week:,} new in seven days", site.list_url("users"))]


def sign_ups(principal: Principal) -> DayChart:
    today = now().date()
    first = today - timedelta(days=_DAYS - 1)
    rows = (
        visible_to(principal)
        .filter(created_at__gte=datetime.combine(first, time(), UTC))
        .order_by()
        .annotate(day=TruncDate("created_at", tzinfo=UTC))
        .values_list("day")
        .annotate(count=Count("pk"))
    )
    counted = dict(rows)
    days = [(first + timedelta(days=offset)) for offset in range(_DAYS)]
    return DayChart(
        "Sign-ups",
        [(day, counted.get(day, 0)) for day in days],
        unit="new users",
        empty="Nobody has signed up in the last 90 days.",
        note="90 days, by day in UTC",
    )


def locked_out(principal: Principal) -> Matters:
    """Blocked and suspended people, the newest first: somebody decided, and somebody will ask."""
    people = visible_to(principal).filter(Q(suspended_at__isnull=False) | Q(blocked_at__isnull=False))
    rows = list(people.order_by("-updated_at")[: _SHOWN + 1])
    seen = Seen(principal, "users.read")
    matters = [
        Matter(
            looks.title(user, seen),
            cells.noted(cells.badges([looks.status(user)]), cells.ago(user.blocked_at or user.suspended_at)),
            site.link("users", user.public_id, principal) or "",
        )
        for user in rows[:_SHOWN]
    ]
    url = site.list_url("users", "status=locked-out")
    return Matters("People locked out", matters, "lock", "red", url, more=len(rows) > _SHOWN)


def without_second_factor(principal: Principal) -> Matters:
    """Staff who can still come in, by a password alone."""
    totp = Authenticator.objects.filter(user_id=OuterRef("user_id"), type=Authenticator.Type.TOTP)
    able = StaffMember.objects.filter(is_active=True, user__suspended_at=None, user__blocked_at=None)
    rows = list(able.exclude(Exists(totp)).select_related("user").order_by("-created_at")[: _SHOWN + 1])
    matters = [
        Matter(
            member.user.name or member.user.email,
            cells.noted(looks.roles(member.roles), _last_login(member)),
            site.link("staff", member.user.public_id, principal) or "",
        )
        for member in rows[:_SHOWN]
    ]
    url = site.list_url("staff", "state=active&factor=off")
    return Matters(
        "Staff without a second factor", matters, "phonelink_lock", "orange", url, more=len(rows) > _SHOWN
    )


def erasures_stuck(principal: Principal) -> Matters:
    """Erasures that are not finished an hour later: each hour's job goes on with them, and its error says why not."""
    del principal
    rows = list(unfinished_erasures().filter(deleted_at__lte=now() - _LONG)[: _SHOWN + 1])
    url = site.list_url("jobs", urlencode({"name": FINISH_JOB, "status": "failed"}))
    matters = [Matter(stone.public_id, cells.ago(stone.deleted_at), url) for stone in rows[:_SHOWN]]
    return Matters("Erasures that do not end", matters, "person_remove", "red", url, more=len(rows) > _SHOWN)


def _last_login(member: StaffMember) -> cells.Cell:
    when = member.user.last_login
    return cells.paired("signed in", cells.ago(when)) if when else "never signed in"


def guessing(principal: Principal) -> Matters:
    """Addresses with many failed proofs (sign-in, code, automation key) in the last hour."""
    del principal
    recent = FailedAttempt.objects.filter(at__gte=now() - timedelta(hours=1), address__isnull=False)
    counted = recent.values("address").annotate(count=Count("pk"), last=Max("at")).filter(count__gte=_MANY)
    rows = list(counted.order_by("-count", "address")[: _SHOWN + 1])
    matters = [
        Matter(
            str(row["address"]),
            cells.noted(f"{row['count']:,} failed, last", cells.ago(row["last"])),
            site.list_url("audit", urlencode({"address": row["address"]})),
        )
        for row in rows[:_SHOWN]
    ]
    return Matters("Guessing at sign-ins", matters, "password", "red", more=len(rows) > _SHOWN)


def install() -> None:
    """Called once, when the sections are loaded."""
    home.figures.append(Panel("users", "users.read", figures, order=20))
    home.charts.append(Panel("sign-ups", "users.read", sign_ups, order=20))
    home.matters.append(Panel("guessing", "audit.read", guessing, order=7))
    home.matters.append(Panel("erasures", "jobs.read", erasures_stuck, order=16))
    home.matters.append(Panel("second-factor", "staff.manage", without_second_factor, order=35))
    home.matters.append(Panel("locked-out", "users.read", locked_out, order=40))
