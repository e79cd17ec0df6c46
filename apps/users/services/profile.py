"""What an operator changes about a person at once: name, role in a tenant, staff roles, address, status, notes."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from apps.core.errors import Invalid
from apps.core.principal import Principal
from apps.core.write import Write, write
from apps.users.enums import MembershipRole, UserStatus
from apps.users.errors import NotAMember, NotesInvalid, WhichMembership
from apps.users.models import Membership, User
from apps.users.services.common import locked, saved, target_of
from apps.users.services.email import set_email
from apps.users.services.memberships import change_role
from apps.users.services.people import checked_name
from apps.users.services.staff import change_roles, checked_roles
from apps.users.services.status import set_status

_LONGEST_NOTES = 5_000


class NothingToChange(Invalid):
    code = "NOTHING_TO_CHANGE"
    message = "Name at least one field to change."

    def __init__(self) -> None:
        super().__init__(details={"body": [self.message]})


@dataclass(frozen=True, slots=True)
class UserChanges:
    """What shall be changed; None stays as it is.

    Attributes:
        role: the new role in a tenant.
        tenant_id: in which one; may be left out where the person has one membership.
        name: empty takes it away.
        staff_roles: exactly these; none at all ends their time as staff.
        email: the new address (apps.users.services.email).
        status: active, suspended or blocked (apps.users.services.status.set_status).
        notes: what operators keep about the person; empty takes it away.
    """

    role: MembershipRole | None = None
    tenant_id: UUID | None = None
    name: str | None = None
    staff_roles: Iterable[str] | None = None
    email: str | None = None
    status: UserStatus | None = None
    notes: str | None = None

    def beside_staff_roles(self) -> bool:
        """True where something else than staff roles shall be changed."""
        others = (self.role, self.name, self.email, self.status, self.notes)
        return any(each is not None for each in others)


def update_user(
    *, actor: Principal, user_id: UUID, changes: UserChanges, reason: str = "", if_match: int | None = None
) -> User:
    """Changes a person (contracts/platform.md and console.md, PATCH `/users/{id}`). A change of role or address, and
    a status that keeps them out, ends their sessions.

    Raises:
        NothingToChange
        UserNotFound, UserChanged
        WhichMembership: a role without a tenant, and several memberships; or a tenant that is not theirs.
        NotAMember: a role, and no membership at all.
        SoleOwner: a live tenant would be left without an owner.
        StaffRolesInvalid, LastSuperAdmin, Yourself, NameInvalid, EmailInvalid, EmailTaken, NotesInvalid
    """
    if changes.staff_roles is None and not changes.beside_staff_roles():
        raise NothingToChange
    with write("user.update", actor=actor, target=target_of(user_id), reason=reason) as w:
        user = locked(actor=actor, permission="users.update", user_id=user_id, if_match=if_match)
        if changes.role is not None:
            change_role(w, user, _meant(user, changes.tenant_id), changes.role)
        if changes.staff_roles is not None:
            change_roles(w, user, checked_roles(changes.staff_roles))
        if changes.name is not None:
            _rename(w, user, checked_name(changes.name))
        if changes.notes is not None:
            _annotate(w, user, changes.notes)
        if changes.email is not None:
            set_email(w, user, changes.email)
        if changes.status is not None:
            set_status(w, user, changes.status)
        return saved(user, "name", "notes")


def _meant(user: User, tenant_id: UUID | None) -> Membership:
    own = list(Membership.objects.select_for_update().filter(user=user).order_by("created_at", "id"))
    if not own:
        raise NotAMember
    if tenant_id is None:
        if len(own) > 1:
            raise WhichMembership(details={"tenant_id": ["Required: the user has several memberships."]})
        return own[0]
    for membership in own:
        if membership.tenant_id == tenant_id:
            return membership
    sentence = "The user is not a member of this tenant."
    raise WhichMembership(sentence, details={"tenant_id": [sentence]})


def _rename(w: Write, user: User, name: str) -> None:
    if name != user.name:
        w.changed(before={"name": user.name}, after={"name": name})
        user.name = name


def _annotate(w: Write, user: User, notes: str) -> None:
    notes = notes.strip()
    if len(notes) > _LONGEST_NOTES or "\0" in notes:
        raise NotesInvalid(details={"notes": [NotesInvalid.message]})
    if notes != user.notes:
        w.changed(before={"notes": user.notes}, after={"notes": notes})
        user.notes = notes
