"""People: the list, and a page for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import Q

from apps.audit.admin import timeline_tab
from apps.audit.selectors import entries_of_person
from apps.backoffice import cells
from apps.backoffice.blocks import Block, Fact, Facts, Note, Row, Table
from apps.backoffice.dialogs import Dialog
from apps.backoffice.listing import Column, Filter, Rows, by
from apps.backoffice.model_admin import ModelAdmin
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.backoffice.tabs import Heading, Tab
from apps.core import ids
from apps.core.principal import Principal
from apps.plans.models import Plan
from apps.tenants.admin import looks as tenant_looks
from apps.tenants.models import Tenant
from apps.users import selectors
from apps.users.admin import dialogs, looks
from apps.users.enums import MembershipRole, UserStatus
from apps.users.models import Membership, User
from apps.users.querysets import visible_to, with_status

LOCKED_OUT = "locked-out"  # a choice of the list: who can't sign in, whichever way


@dataclass(frozen=True, slots=True)
class Listed:
    """A person with the membership that the row shows."""

    user: User
    shown: Membership | None


def _tenant(listed: Listed, seen: Seen) -> cells.Cell:
    if listed.shown is None:
        return cells.NOTHING
    tenant = listed.shown.tenant
    url = site.link("tenants", tenant.public_id, seen.principal)
    return cells.noted(cells.link(url, tenant.company_name), listed.shown.role)


def _by_status(found: Rows, value: str, _seen: Seen) -> Rows:
    if value == LOCKED_OUT:
        return found.filter(Q(suspended_at__isnull=False) | Q(blocked_at__isnull=False))
    return with_status(found, UserStatus(value))


def _by_role(found: Rows, value: str, seen: Seen) -> Rows:
    return _also(found, selectors.users(seen.principal, role=value))


def _by_plan(found: Rows, value: str, seen: Seen) -> Rows:
    return _also(found, selectors.users(seen.principal, plan=value))


def _by_tenant(found: Rows, value: str, seen: Seen) -> Rows:
    """By id, slug, or the company's whole name."""
    tenant_id = ids.parse_or_none(ids.TENANT, value)
    named = Q(id=tenant_id) if tenant_id else Q(slug=value.lower()) | Q(company_name__iexact=value)
    tenant = Tenant.objects.filter(named).first()
    return _also(found, selectors.users(seen.principal, tenant_id=tenant.id)) if tenant else found.none()


def _also(found: Rows, others: Rows) -> Rows:
    return found.filter(pk__in=others.order_by().values("pk"))


def _statuses(_seen: Seen) -> list[tuple[str, str]]:
    shown = [(value, value) for value in UserStatus.values if value != UserStatus.DELETED]
    return [*shown, (LOCKED_OUT, "suspended or blocked")]


def _plans(_seen: Seen) -> list[tuple[str, str]]:
    return list(Plan.objects.order_by("price_monthly", "slug").values_list("slug", "name"))


def _overview(user: User, seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    memberships = selectors.memberships_of([user.pk])[user.pk]
    who = [
        Fact("Name", cells.or_nothing(seen.name(user.name))),
        Fact("E-mail", seen.email(user.email)),
        Fact("Status", cells.badges(looks.badges(user)[:2] if user.blocked_at else [looks.status(user)])),
        Fact("Staff roles", looks.roles(sorted(user.staff_roles)) if user.staff_roles else cells.NOTHING),
        Fact("Created", cells.instant(user.created_at)),
        Fact("Changed", cells.instant(user.updated_at)),
    ]
    access = [
        Fact("Last login", cells.ago(user.last_login)),
        Fact("Two-factor", cells.badge("on", "green") if selectors.mfa_enabled(user.pk) else "off"),
        Fact("Sessions", cells.number(selectors.active_sessions(user.pk)), "of the back office, live now"),
        Fact("Suspended", cells.instant(user.suspended_at)),
        Fact("Blocked", cells.instant(user.blocked_at)),
        Fact("Tokens valid after", cells.instant(user.tokens_valid_after)),
    ]
    notes = [Note(text, "red", "lock") for text in _notices(user)]
    return [*notes, Facts("Who it is", who), Facts("Access", access), _memberships(memberships, seen)]


def _notices(user: User) -> list[str]:
    if user.blocked_at is not None:
        more = " It is suspended too: lifting the block leaves that." if user.suspended_at is not None else ""
        return [f"Blocked: no sign-in, no token, until the block is lifted.{more}"]
    return ["Suspended: no sign-in, no token, until it is lifted."] if user.suspended_at is not None else []


def _memberships(memberships: Sequence[Membership], seen: Seen) -> Table:
    rows = [
        Row([
            cells.link(site.link("tenants", each.tenant.public_id, seen.principal), each.tenant.company_name),
            each.role,
            looks.plan(each),
            cells.badge(*tenant_looks.status(each.tenant)),
            cells.day(each.created_at),
        ])
        for each in memberships
    ]  # fmt: skip
    heads = [
        ("Tenant", "text"),
        ("Role", "text"),
        ("Plan", "text"),
        ("Tenant's status", "text"),
        ("Since", "text"),
    ]
    return Table("Memberships", heads, rows, "They belong to no tenant.")


def _csv(user: User) -> str:
    return f"/api/v1/platform/admin/users/{user.public_id}/audit-trail"


@site.section
class UserAdmin(ModelAdmin):
    """Everybody who can sign in somewhere."""

    model = User
    path: ClassVar[str] = "users"
    prefix: ClassVar[str] = ids.USER
    permission: ClassVar[str] = "users.read"
    view_audit: ClassVar[str] = "user.view"
    title: ClassVar[str] = "Users"
    singular: ClassVar[str] = "user"
    icon: ClassVar[str] = "group"
    group: ClassVar[str] = "People"
    order: ClassVar[int] = 10
    search_hint: ClassVar[str] = "E-mail, name or id"
    search_hint_masked: ClassVar[str] = "Whole e-mail or id"
    blank: ClassVar[str] = "No users yet. They come with tenants: create a test tenant to look around."
    columns: ClassVar[Sequence[Column]] = [
        Column("id", "Id", lambda listed, _seen: cells.ident(listed.user.public_id), kind="id"),
        Column("name", "Name", lambda listed, seen: cells.or_nothing(seen.name(listed.user.name)), kind="name"),
        Column("email", "E-mail", lambda listed, seen: seen.email(listed.user.email), order=by("email"),
               clear_only=True, kind="email"),
        Column("plan", "Plan", lambda listed, _seen: looks.plan(listed.shown)),
        Column("tenant", "Tenant", _tenant),
        Column("status", "Status", lambda listed, _seen: cells.badges(looks.badges(listed.user))),
        Column("created", "Created", lambda listed, _seen: cells.day(listed.user.created_at), kind="when",
               order=by("created_at")),
        Column("last_login", "Last login", lambda listed, _seen: cells.ago(listed.user.last_login), kind="when",
               order=by("last_login", nulls_last=True)),
    ]  # fmt: skip
    filters: ClassVar[Sequence[Filter]] = [
        Filter("status", "Status", _by_status, choices=_statuses),
        Filter(
            "role",
            "Role",
            _by_role,
            choices=lambda _seen: [(value, value) for value in MembershipRole.values],
        ),
        Filter("plan", "Plan", _by_plan, choices=_plans),
        Filter("tenant", "Tenant", _by_tenant, hint="id, slug or name"),
    ]
    dialogs: ClassVar[Sequence[Dialog]] = [
        dialogs.ResetPassword(),
        dialogs.RevokeSessions(),
        dialogs.Suspend(),
        dialogs.Unsuspend(),
        dialogs.ChangeRole(),
        dialogs.Rename(),
        dialogs.Block(),
        dialogs.Unblock(),
        dialogs.ExportUser(),
        dialogs.Erase(),
    ]
    tabs: ClassVar[Sequence[Tab]] = [
        Tab("overview", "Profile", _overview, order=10),
        timeline_tab(
            lambda user: entries_of_person(user.pk, user.public_id),
            permission="users.audit_trail",
            title="Audit trail",
            audit="user.view_audit_trail",
            csv=_csv,
            order=20,
        ),
    ]

    def rows(self, principal: Principal, permission: str) -> Rows:
        return visible_to(principal, permission).select_related("staff")

    def prepare(self, rows: list[Any]) -> Sequence[Any]:
        shown = selectors.shown_of(rows)
        return [Listed(user, shown.get(user.pk)) for user in rows]

    def search_rows(self, rows: Rows, term: str, seen: Seen) -> Rows:
        found: Rows = selectors.users(seen.principal, permission=seen.permission, search=term)
        return rows & found

    def public_id(self, row: Any) -> str:
        user: User = row.user if isinstance(row, Listed) else row
        return user.public_id

    def tone(self, row: Any) -> str:
        return "" if row.user.status is UserStatus.ACTIVE else "red"

    def heading(self, row: Any, seen: Seen) -> Heading:
        line = seen.email(row.email) if row.name else ""
        return Heading(looks.title(row, seen), public_id=row.public_id, badges=looks.badges(row), line=line)

    def names(self, row: Any) -> Sequence[str]:
        return sorted(selectors.known_as(row)["name"])
