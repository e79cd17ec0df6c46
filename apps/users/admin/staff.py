"""Our own people: who may do what in the back office."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from allauth.mfa.models import Authenticator
from django import forms
from django.db.models import Exists, OuterRef

from apps.approvals.services import Pending
from apps.audit.admin import timeline_tab
from apps.audit.selectors import entries_of_person
from apps.backoffice import cells
from apps.backoffice.blocks import Block, Fact, Facts, Row, Table
from apps.backoffice.dialogs import Dialog, Done, ReasonForm
from apps.backoffice.listing import Column, Filter, Order, Rows, by
from apps.backoffice.model_admin import ModelAdmin
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.backoffice.tabs import Heading, Tab
from apps.core import ids
from apps.core.access import PERMISSIONS, Reach, Role, allows
from apps.core.principal import Principal
from apps.core.write import Target
from apps.users import selectors
from apps.users.admin import looks
from apps.users.models import StaffMember
from apps.users.services import change_staff_roles, create_staff, deactivate_staff, mfa_required, reset_mfa


def _title(member: StaffMember, seen: Seen) -> str:
    return looks.title(member.user, seen)


def _state(member: StaffMember) -> tuple[str, str]:
    return looks.status(member.user) if member.is_active else ("left", "grey")


def _two_factor(member: Any, _seen: Seen) -> cells.Cell:
    if member.has_totp:
        return cells.badge("on", "green")
    return cells.badge("missing", "orange") if mfa_required(member.user) else "off"


def _by_role(found: Rows, value: str, _seen: Seen) -> Rows:
    return found.filter(roles__contains=[value])


def _by_state(found: Rows, value: str, _seen: Seen) -> Rows:
    return found.filter(is_active=value == "active")


def _by_factor(found: Rows, value: str, _seen: Seen) -> Rows:
    return found.filter(has_totp=value == "on")


def _overview(member: StaffMember, seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    user = member.user
    who = [
        Fact("Name", cells.or_nothing(seen.name(user.name))),
        Fact("E-mail", seen.email(user.email)),
        Fact("State", cells.badge(*_state(member))),
        Fact("Roles", looks.roles(member.roles), "" if member.is_active else "held until they left"),
        Fact("On board since", cells.instant(member.created_at)),
        Fact(
            "The person", cells.link(site.link("users", user.public_id, seen.principal), "page under Users")
        ),
    ]
    access = [
        Fact("Last login", cells.ago(user.last_login)),
        Fact(
            "Two-factor", _two_factor(member, seen), "asked for by their roles" if mfa_required(user) else ""
        ),
        Fact("Sessions", cells.number(selectors.active_sessions(user.pk)), "live now"),
        Fact("Tokens valid after", cells.instant(user.tokens_valid_after)),
    ]
    return [Facts("Who it is", who), Facts("Access", access), _rights(member)]


def _rights(member: StaffMember) -> Table:
    """What the matrix grants, a line for each area, reach and the roles that give it."""
    held = [role for role in Role if member.is_active and role in member.roles]
    found: dict[tuple[str, bool, tuple[Role, ...]], list[str]] = {}
    for permission, reach in PERMISSIONS.items():
        by_role = tuple(role for role in held if role in reach)
        area, _, act = permission.partition(".")
        if by_role:
            whole = any(reach[role] is Reach.ALL for role in by_role)
            found.setdefault((area, whole, by_role), []).append(act.replace("_", " "))
    rows = [
        Row(
            [
                area.capitalize(),
                ", ".join(acts),
                "everything" if whole else "test tenants",
                looks.roles(by_role),
            ]
        )
        for (area, whole, by_role), acts in found.items()
    ]
    heads = [("Area", "text"), ("May", "wrap"), ("Reaches", "text"), ("By", "text")]
    return Table("What they may do", heads, rows, "Nothing.")


def _roles_field(initial: Sequence[str] = ()) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label="Roles",
        choices=[(role.value, role.value) for role in Role],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one role."},
        initial=list(initial),
    )


class RolesForm(ReasonForm):
    def __init__(self, data: Any, *, held: Sequence[str]) -> None:
        super().__init__(data)
        self.fields["staff_roles"] = _roles_field(held)
        self.order_fields(["staff_roles", "reason"])


class NewStaffForm(ReasonForm):
    email = forms.EmailField(label="E-mail", max_length=254)
    name = forms.CharField(max_length=200, required=False)
    staff_roles = _roles_field()

    field_order = ["email", "name", "staff_roles", "reason"]


class _Named(Dialog):
    permission: ClassVar[str] = "staff.manage"

    def heading(self, target: Any, seen: Seen) -> str:
        return f"{self.title}: {_title(target, seen)}"


class ChangeRoles(_Named):
    name: ClassVar[str] = "roles"
    title: ClassVar[str] = "Change roles"
    icon: ClassVar[str] = "badge"
    submit: ClassVar[str] = "Give these roles"

    def consequence(self, target: Any, seen: Seen) -> str:
        del seen
        back = "" if target.is_active else " They become active again."
        return (
            f"They have exactly these roles from now on, and their sessions end.{back} "
            "Giving super_admin waits for a second person where the policy wants one."
        )

    def form(self, data: Mapping[str, Any] | None, target: Any, seen: Seen) -> forms.Form:
        del seen
        return RolesForm(data, held=target.roles)

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        user = target.user
        outcome = change_staff_roles(
            actor=actor,
            user_id=user.pk,
            roles=data["staff_roles"],
            reason=data["reason"],
            if_match=user.version,
        )
        if isinstance(outcome, Pending):
            return Done("super_admin needs a second person: another super_admin decides under Approvals.")
        return Done("The roles were changed; their sessions ended.")


class Deactivate(_Named):
    name: ClassVar[str] = "deactivate"
    title: ClassVar[str] = "End their time as staff"
    icon: ClassVar[str] = "person_off"
    variant: ClassVar[str] = "danger"
    submit: ClassVar[str] = "End it"

    def available(self, target: Any) -> bool:
        member: StaffMember = target
        return member.is_active

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return "Their sessions and tokens end now, and the back office stays closed to them. The person remains a user."

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        user = target.user
        deactivate_staff(actor=actor, user_id=user.pk, reason=data["reason"], if_match=user.version)
        return Done("They are staff no longer.")


class ResetTwoFactor(_Named):
    name: ClassVar[str] = "reset-two-factor"
    title: ClassVar[str] = "Reset two-factor"
    icon: ClassVar[str] = "phonelink_erase"
    variant: ClassVar[str] = "danger"
    group: ClassVar[str] = "more"
    submit: ClassVar[str] = "Take it away"

    def available(self, target: Any) -> bool:
        return bool(target.has_totp)

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return (
            "Authenticator app and recovery codes are void and every session ends. Make sure that it is them who ask: "
            "until a new one is set up, the password alone opens what their roles allow it to."
        )

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        user = target.user
        reset_mfa(actor=actor, user_id=user.pk, reason=data["reason"], if_match=user.version)
        return Done("The second factor was taken away; they got a mail about it.")


class CreateStaff(Dialog):
    name: ClassVar[str] = "create"
    title: ClassVar[str] = "Add staff"
    permission: ClassVar[str] = "staff.manage"
    icon: ClassVar[str] = "person_add"
    variant: ClassVar[str] = "primary"
    submit: ClassVar[str] = "Send the invitation"
    form_class: ClassVar[type[forms.Form]] = NewStaffForm

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return (
            "They get a mail with a link to set a password. Where super_admin needs a second person, add them "
            "without it, then change their roles."
        )

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        del target
        user = create_staff(
            actor=actor,
            email=data["email"],
            name=data["name"],
            roles=data["staff_roles"],
            reason=data["reason"],
        )
        return Done("The invitation is on its way.", url=site.link("staff", user.public_id, actor) or "")


def names() -> dict[str, str]:
    """What our own people are called, by public id; those who left too."""
    rows = StaffMember.objects.values_list("user_id", "user__name", "user__email")
    return {ids.public(ids.USER, user_id): name or email for user_id, name, email in rows}


site.name_staff(names)


@site.section
class StaffAdmin(ModelAdmin):
    """Staff members, also those who left."""

    model = StaffMember
    path: ClassVar[str] = "staff"
    prefix: ClassVar[str] = ids.USER
    permission: ClassVar[str] = "staff.manage"
    view_audit: ClassVar[str] = "user.view"
    title: ClassVar[str] = "Staff"
    singular: ClassVar[str] = "staff member"
    icon: ClassVar[str] = "shield_person"
    group: ClassVar[str] = "People"
    order: ClassVar[int] = 20
    search_hint: ClassVar[str] = "E-mail, name or id"
    blank: ClassVar[str] = "No staff yet: manage.py bootstrap_operator makes the first."
    default_sort: ClassVar[str] = "email"
    columns: ClassVar[Sequence[Column]] = [
        Column("name", "Name", lambda member, seen: cells.or_nothing(seen.name(member.user.name)), kind="name"),
        Column("email", "E-mail", lambda member, seen: seen.email(member.user.email),
               order=by("user__email", key="user_id"), clear_only=True),
        Column("roles", "Roles", lambda member, _seen: looks.roles(member.roles)),
        Column("state", "State", lambda member, _seen: cells.badge(*_state(member))),
        Column("two_factor", "Two-factor", _two_factor),
        Column("last_login", "Last login", lambda member, _seen: cells.ago(member.user.last_login), kind="when",
               order=by("user__last_login", key="user_id", nulls_last=True)),
        Column("since", "Since", lambda member, _seen: cells.day(member.created_at), kind="when",
               order=Order(up=["created_at", "user_id"], down=["-created_at", "-user_id"])),
    ]  # fmt: skip
    filters: ClassVar[Sequence[Filter]] = [
        Filter("role", "Role", _by_role, choices=lambda _seen: [(role.value, role.value) for role in Role]),
        Filter("state", "State", _by_state, choices=lambda _seen: [("active", "active"), ("left", "left")]),
        Filter("factor", "Two-factor", _by_factor, choices=lambda _seen: [("on", "on"), ("off", "off")]),
    ]
    list_dialogs: ClassVar[Sequence[Dialog]] = [CreateStaff()]
    dialogs: ClassVar[Sequence[Dialog]] = [ChangeRoles(), Deactivate(), ResetTwoFactor()]
    tabs: ClassVar[Sequence[Tab]] = [
        Tab("overview", "Access", _overview, order=10),
        timeline_tab(
            lambda member: entries_of_person(member.user_id, member.user.public_id),
            permission="staff.manage",
            title="Audit trail",
            audit="user.view_audit_trail",
        ),
    ]

    def rows(self, principal: Principal, permission: str) -> Rows:
        if not allows(principal, permission):
            return StaffMember.objects.none()
        totp = Authenticator.objects.filter(user_id=OuterRef("user_id"), type=Authenticator.Type.TOTP)
        return StaffMember.objects.select_related("user").annotate(has_totp=Exists(totp))

    def search_rows(self, rows: Rows, term: str, seen: Seen) -> Rows:
        found = selectors.users(seen.principal, permission=seen.permission, search=term)
        return rows.filter(user_id__in=found.order_by().values("pk"))

    def public_id(self, row: Any) -> str:
        return ids.public(ids.USER, row.user_id)

    def tone(self, row: Any) -> str:
        return "" if row.is_active else "grey"

    def heading(self, row: Any, seen: Seen) -> Heading:
        badges = [_state(row), *((role, "teal") for role in row.roles if row.is_active)]
        line = seen.email(row.user.email) if row.user.name else ""
        return Heading(_title(row, seen), public_id=self.public_id(row), badges=badges, line=line)

    def target(self, row: Any) -> Target:
        target: Target = row.user.audit_target()
        return target
