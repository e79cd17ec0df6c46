"""What an operator does to a person."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from apps.backoffice import cells
from apps.backoffice.dialogs import Dialog, Done, ReasonForm
from apps.backoffice.fields import narrow
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.core.principal import Principal
from apps.exports.admin import ExportData
from apps.users.admin import looks
from apps.users.enums import ErasureReason, MembershipRole
from apps.users.models import Membership, User
from apps.users.selectors import active_sessions, memberships_of
from apps.users.services import (
    UserChanges,
    block_user,
    erase_user,
    request_password_reset,
    revoke_sessions,
    suspend_user,
    unblock_user,
    unsuspend_user,
    update_user,
)


class Named(Dialog):
    """A dialog whose title names the person, as the reader may see them."""

    def heading(self, target: Any, seen: Seen) -> str:
        return f"{self.title}: {looks.title(target, seen)}"


class Suspend(Named):
    name: ClassVar[str] = "suspend"
    title: ClassVar[str] = "Suspend"
    permission: ClassVar[str] = "users.suspend"
    icon: ClassVar[str] = "lock"
    variant: ClassVar[str] = "danger"
    submit: ClassVar[str] = "Suspend the user"

    def available(self, target: Any) -> bool:
        user: User = target
        return user.suspended_at is None

    def consequence(self, target: Any, seen: Seen) -> str:
        del seen
        live = active_sessions(target.pk)
        ended = cells.counted(live, "live session") if live else "Every session"
        return (
            f"{ended} and every token end with the next request, and nobody signs in as this person until the "
            "suspension is lifted. Data and memberships stay."
        )

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        suspend_user(actor=actor, user_id=target.pk, reason=data["reason"], if_match=target.version)
        return Done("The user was suspended, and every session ended.")


class Unsuspend(Named):
    name: ClassVar[str] = "unsuspend"
    title: ClassVar[str] = "Lift the suspension"
    permission: ClassVar[str] = "users.suspend"
    icon: ClassVar[str] = "lock_open"
    variant: ClassVar[str] = "primary"

    def available(self, target: Any) -> bool:
        user: User = target
        return user.suspended_at is not None

    def consequence(self, target: Any, seen: Seen) -> str:
        del seen
        stays = " The block stays: it is another matter." if target.blocked_at is not None else ""
        return f"The person can sign in again; ended sessions stay ended.{stays}"

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        unsuspend_user(actor=actor, user_id=target.pk, reason=data["reason"], if_match=target.version)
        return Done("The suspension was lifted.")


class Block(Named):
    name: ClassVar[str] = "block"
    title: ClassVar[str] = "Block"
    permission: ClassVar[str] = "users.block"
    icon: ClassVar[str] = "block"
    variant: ClassVar[str] = "danger"
    group: ClassVar[str] = "more"
    submit: ClassVar[str] = "Block the user"

    def available(self, target: Any) -> bool:
        user: User = target
        return user.blocked_at is None

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return (
            "Every session and token ends with the next request. A block stands beside a suspension and above it: "
            "lifting the suspension does not lift the block."
        )

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        block_user(actor=actor, user_id=target.pk, reason=data["reason"], if_match=target.version)
        return Done("The user was blocked, and every session ended.")


class Unblock(Named):
    name: ClassVar[str] = "unblock"
    title: ClassVar[str] = "Lift the block"
    permission: ClassVar[str] = "users.block"
    icon: ClassVar[str] = "lock_open"

    def available(self, target: Any) -> bool:
        user: User = target
        return user.blocked_at is not None

    def consequence(self, target: Any, seen: Seen) -> str:
        del seen
        if target.suspended_at is not None:
            return "The block goes; the suspension stays until it is lifted too."
        return "The person can sign in again; ended sessions stay ended."

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        unblock_user(actor=actor, user_id=target.pk, reason=data["reason"], if_match=target.version)
        return Done("The block was lifted.")


class RevokeSessions(Named):
    name: ClassVar[str] = "revoke-sessions"
    title: ClassVar[str] = "Revoke sessions"
    permission: ClassVar[str] = "users.revoke_sessions"
    icon: ClassVar[str] = "logout"
    submit: ClassVar[str] = "End every session"

    def consequence(self, target: Any, seen: Seen) -> str:
        del seen
        live = active_sessions(target.pk)
        return (
            f"{cells.counted(live, 'live session')} of the back office, every refresh token and every token "
            "issued until now stop working with the next request. The person can sign in again at once."
        )

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        done = revoke_sessions(actor=actor, user_id=target.pk, reason=data["reason"], if_match=target.version)
        return Done(f"{cells.counted(done.terminated, 'session')} ended; tokens issued until now are void.")


class ResetPassword(Named):
    name: ClassVar[str] = "reset-password"
    title: ClassVar[str] = "Reset password"
    permission: ClassVar[str] = "users.reset_password"
    icon: ClassVar[str] = "key"
    submit: ClassVar[str] = "Send the link"

    def consequence(self, target: Any, seen: Seen) -> str:
        return (
            f"{seen.email(target.email)} gets a link that works once, for 24 hours; links sent before are void. "
            "The present password works until a new one is set."
        )

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        sent = request_password_reset(
            actor=actor, user_id=target.pk, reason=data["reason"], if_match=target.version
        )
        return Done(f"A link is on its way; it works until {sent.expires_at:%Y-%m-%d %H:%M} UTC.")


class RoleForm(ReasonForm):
    """Which membership, and the new role."""

    def __init__(self, data: Any, *, memberships: list[Membership]) -> None:
        super().__init__(data)
        places = [
            (str(each.tenant_id), f"{each.tenant.company_name} ({each.role} now)") for each in memberships
        ]
        self.fields["tenant_id"] = narrow(forms.ChoiceField(label="In the tenant", choices=places))
        self.fields["role"] = narrow(forms.ChoiceField(label="New role", choices=MembershipRole.choices))
        if memberships:
            self.fields["role"].initial = memberships[0].role
        self.order_fields(["tenant_id", "role", "reason"])


class ChangeRole(Named):
    name: ClassVar[str] = "change-role"
    title: ClassVar[str] = "Change role"
    permission: ClassVar[str] = "users.update"
    icon: ClassVar[str] = "badge"
    group: ClassVar[str] = "more"
    submit: ClassVar[str] = "Change the role"

    def available(self, target: Any) -> bool:
        return Membership.objects.filter(user=target).exists()

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return (
            "The role in one tenant changes, and every session of the person ends, so that it counts at once."
        )

    def form(self, data: Mapping[str, Any] | None, target: Any, seen: Seen) -> forms.Form:
        del seen
        return RoleForm(data, memberships=memberships_of([target.pk])[target.pk])

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        place = Membership.objects.filter(user=target, tenant_id=data["tenant_id"]).values_list(
            "tenant_id", flat=True
        )
        changes = UserChanges(role=MembershipRole(data["role"]), tenant_id=place.first())
        update_user(
            actor=actor, user_id=target.pk, changes=changes, reason=data["reason"], if_match=target.version
        )
        return Done(f"The role is {data['role']} now; every session ended.")


class NameForm(ReasonForm):
    name = forms.CharField(max_length=200, required=False, help_text="Empty takes it away")

    field_order = ["name", "reason"]


class Rename(Named):
    name: ClassVar[str] = "rename"
    title: ClassVar[str] = "Change name"
    permission: ClassVar[str] = "users.update"
    icon: ClassVar[str] = "edit"
    group: ClassVar[str] = "more"
    submit: ClassVar[str] = "Save"

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return "The name that members of their tenants and our staff see."

    def form(self, data: Mapping[str, Any] | None, target: Any, seen: Seen) -> forms.Form:
        return NameForm(data, initial={"name": seen.name(target.name)})

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        changes = UserChanges(name=data["name"])
        update_user(
            actor=actor, user_id=target.pk, changes=changes, reason=data["reason"], if_match=target.version
        )
        return Done("The name was changed.")


class ExportUser(Named, ExportData):
    kind: ClassVar[str] = "user_data"
    parameter: ClassVar[str] = "user_id"


class EraseForm(forms.Form):
    """A reason by code, since free text might hold what is to go, and the address, typed."""

    reason = forms.ChoiceField(choices=ErasureReason.choices)
    confirmation = forms.CharField(
        label="Type the e-mail address to confirm",
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, data: Any, *, email: str) -> None:
        super().__init__(data)
        self.fields["confirmation"].help_text = email


class Erase(Named):
    name: ClassVar[str] = "erase"
    title: ClassVar[str] = "Erase"
    permission: ClassVar[str] = "users.erase"
    icon: ClassVar[str] = "person_remove"
    variant: ClassVar[str] = "danger"
    group: ClassVar[str] = "more"
    submit: ClassVar[str] = "Erase for good"

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return (
            "Account, memberships, sessions and second factors are removed at once, and the person's details in the "
            "audit trail become unreadable: its rows and its chain stay. A job then takes the person out of jobs, "
            "stored answers, mails and files. Only the id and the moment remain. This can't be undone."
        )

    def form(self, data: Mapping[str, Any] | None, target: Any, seen: Seen) -> forms.Form:
        return EraseForm(data, email=seen.email(target.email))

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        erase_user(
            actor=actor,
            user_id=target.pk,
            confirmation=data["confirmation"],
            reason=ErasureReason(data["reason"]),
            if_match=target.version,
        )
        return Done("The user was erased.", url=site.list_url("users"))
