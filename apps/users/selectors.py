"""Reads of people."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypedDict, Unpack
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models import (
    Case,
    DateTimeField,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from ulid import ULID

from apps.audit.enums import Part
from apps.audit.models import AuditDetail
from apps.core import ids
from apps.core.access import Reach, allows, masked, reach
from apps.core.clock import now
from apps.core.principal import Principal
from apps.plans import selectors as plans
from apps.tenants.enums import TenantStatus
from apps.tenants.models import Tenant
from apps.users.enums import MembershipRole, UserStatus
from apps.users.errors import UserNotFound
from apps.users.models import Membership, StaffMember, User, UserTombstone
from apps.users.querysets import visible_to, with_status

# Rows of the trail that tell the address and the name which somebody had before.
_TELLING = ("user.update", "user.change_email")
# Shorter words have no trigram inside: they are looked for at the beginning alone.
_SHORTEST_INSIDE = 3


class UserFilters(TypedDict, total=False):
    """Filters of a list of people. `plan` is a slug or id; role, tenant and plan are those of the membership shown."""

    search: str
    role: str
    tenant_id: UUID
    status: str
    plan: str


def users(
    principal: Principal, *, permission: str = "users.read", **filters: Unpack[UserFilters]
) -> QuerySet[User]:
    """People whom the caller reaches.

    The membership shown of a person is the oldest in a tenant that is not cancelled, else the oldest (`shown_of`);
    with `tenant_id` it is the one in that tenant. `search` is a part of e-mail address or name, or the beginning of
    an id; whoever reads personal data masked finds by whole address or id only.
    """
    found = visible_to(principal, permission).select_related("staff")
    if search := filters.get("search", "").strip():
        found = found.filter(_search(search, whole=masked(principal, permission)))
    if "status" in filters:
        found = with_status(found, UserStatus(filters["status"]))
    wanted: dict[str, Any] = {}
    if "tenant_id" in filters:
        wanted["tenant_id"] = filters["tenant_id"]
    if "role" in filters:
        wanted["role"] = filters["role"]
    if "plan" in filters:
        plan = plans.find(filters["plan"])
        if plan is None:
            return found.none()
        wanted["tenant__effective_plan_id"] = plan.pk
    return _showing(found, wanted) if wanted else found


def are_all(principal: Principal, filters: Mapping[str, Any], *, permission: str = "users.read") -> bool:
    """Whether `users` with these filters holds everybody there is."""
    return not any(filters.values()) and reach(principal, permission) is Reach.ALL


def _showing(found: QuerySet[User], wanted: Mapping[str, Any]) -> QuerySet[User]:
    """Those whose shown membership is as wanted: one that fits, and none of theirs that would be shown instead."""
    fits = Membership.objects.filter(**wanted).annotate(over=_over())
    if set(wanted) != {"tenant_id"}:
        others = Membership.objects.filter(user=OuterRef("user"))
        if "tenant_id" in wanted:
            others = others.filter(tenant_id=wanted["tenant_id"])
        others = others.annotate(over=_over())
        as_live = Q(over=OuterRef("over"))
        as_old = as_live & Q(created_at=OuterRef("created_at"))
        before = (
            Q(over__lt=OuterRef("over"))
            | as_live & Q(created_at__lt=OuterRef("created_at"))
            | as_old & Q(pk__lt=OuterRef("pk"))
        )
        fits = fits.filter(~Exists(others.filter(before)))
    return found.filter(Exists(fits.filter(user=OuterRef("pk"))))


def _over() -> Case:
    """1 for a membership in a cancelled tenant, else 0."""
    cancelled = When(tenant__status=TenantStatus.CANCELLED, then=Value(1))
    return Case(cancelled, default=Value(0), output_field=IntegerField())


def _by_age(memberships: QuerySet[Membership]) -> QuerySet[Membership]:
    """Live ones first, then the oldest."""
    return memberships.order_by(_over(), "created_at", "pk")


def _search(text: str, *, whole: bool) -> Q:
    user_id = ids.parse_or_none(ids.USER, text)
    if user_id is not None:
        return Q(pk=user_id)
    if whole:
        return Q(email=text.lower())
    how = "icontains" if len(text) >= _SHORTEST_INSIDE else "istartswith"
    named = Q(**{f"email__{how}": text}) | Q(**{f"name__{how}": text})
    beginning = _ids_beginning(text)
    return named | beginning if beginning is not None else named


def _ids_beginning(text: str) -> Q | None:
    """The range of ids that begin so: the letters of a ULID are the leading bits of its number."""
    prefix, _, letters = text.partition("_")
    if prefix.lower() != ids.USER or not 0 < len(letters) < 26:
        return None
    try:
        first = ULID.from_str(letters.upper().ljust(26, "0"))
        last = ULID.from_str(letters.upper().ljust(26, "Z"))
    except ValueError:
        return None
    return Q(pk__gte=UUID(bytes=first.bytes), pk__lte=UUID(bytes=last.bytes))


def user(principal: Principal, public_id: str, *, permission: str = "users.read") -> User:
    """One person, with their staff row.

    Raises:
        UserNotFound: no such person, none that the caller reaches, or no id.
    """
    user_id = ids.parse_or_none(ids.USER, public_id)
    rows = visible_to(principal, permission).select_related("staff")
    found = rows.filter(pk=user_id).first() if user_id is not None else None
    if found is None:
        raise UserNotFound
    return found


# What anybody shows of a membership: reading whole tenants and plans was half of a list's cost.
_SHOWN = (
    "user",
    "role",
    "created_at",
    "tenant__company_name",
    "tenant__status",
    "tenant__effective_plan__slug",
    "tenant__effective_plan__name",
)


def memberships_of(
    user_ids: Collection[UUID], *, tenant_id: UUID | None = None
) -> dict[UUID, list[Membership]]:
    """Each person's memberships with tenant and plan in force, live ones first, then the oldest: one query."""
    rows = (
        Membership.objects.filter(user_id__in=user_ids).select_related("tenant__effective_plan").only(*_SHOWN)
    )
    if tenant_id is not None:
        rows = rows.filter(tenant_id=tenant_id)
    found: dict[UUID, list[Membership]] = {user_id: [] for user_id in user_ids}
    for row in _by_age(rows):
        found[row.user_id].append(row)
    return found


def shown_of(people: Sequence[User], *, tenant_id: UUID | None = None) -> dict[UUID, Membership]:
    """The membership that each person's row shows; people without any are left out. One query."""
    every = memberships_of([person.pk for person in people], tenant_id=tenant_id)
    return {user_id: rows[0] for user_id, rows in every.items() if rows}


def unfinished_erasures() -> QuerySet[UserTombstone]:
    """Those whose second step is not done, the oldest first."""
    return UserTombstone.objects.filter(finished_at=None, sealed_traces__isnull=False).order_by("deleted_at")


def still_may(user_id: UUID, permission: str) -> bool:
    """Whether a person who once acted under a permission may do so now: neither gone nor stopped, and, where they ever
    were of ours, with a role that allows it. Whoever never was had their right from a token."""
    person = User.objects.select_related("staff").filter(pk=user_id).first()
    if person is None or not person.is_active:
        return False
    if not StaffMember.objects.filter(user=person).exists():
        return True
    return allows(person.principal(via="", address=None), permission)


def sole_ownerships(user_id: UUID, *, tenant_id: UUID | None = None) -> list[str]:
    """A sentence for each live tenant (or for the one that is meant) whose only owner this is."""
    owners = Membership.objects.filter(role=MembershipRole.OWNER, tenant=OuterRef("pk"))
    owned = Tenant.objects.exclude(status=TenantStatus.CANCELLED).filter(
        Exists(owners.filter(user_id=user_id)), ~Exists(owners.exclude(user_id=user_id))
    )
    if tenant_id is not None:
        owned = owned.filter(pk=tenant_id)
    return [f"Only this user owns the tenant {tenant.slug}." for tenant in owned.order_by("slug")]


def known_as(user: User) -> dict[str, set[str]]:
    """Every `email` and `name` that the person has or had, as far as the trail still tells."""
    known: dict[str, set[str]] = {"email": {user.email}, "name": {user.name}}
    details = AuditDetail.objects.filter(person_id=user.pk, part=Part.SUBJECT, entry__action__in=_TELLING)
    for body in details.values_list("body", flat=True):
        said = json.loads(body)
        for field, values in known.items():
            values |= {str(said[when][field]) for when in ("before", "after") if field in said[when]}
    return known


def active_sessions(user_id: UUID) -> int:
    """How many sessions of the back office would be let in now."""
    live = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=now())
    return int(UserSession.objects.filter(Exists(live), user_id=user_id).count())


def mfa_enabled(user_id: UUID) -> bool:
    """True with an authenticator app."""
    return bool(Authenticator.objects.filter(user_id=user_id, type=Authenticator.Type.TOTP).exists())


def tombstones(
    principal: Principal, *, permission: str = "users.read", search: str = ""
) -> QuerySet[UserTombstone]:
    """What is left of erased people, with the columns that a list orders by. Of whom they were nobody knows any more:
    a caller who reaches test tenants alone sees none."""
    found = UserTombstone.objects.annotate(
        id=F("user_id"),
        created_at=F("deleted_at"),
        email=Value(""),
        last_login=Value(None, output_field=DateTimeField()),
    )
    if reach(principal, permission) is not Reach.ALL:
        return found.none()
    if not search.strip():
        return found
    user_id = ids.parse_or_none(ids.USER, search.strip())
    return found.filter(user_id=user_id) if user_id is not None else found.none()
