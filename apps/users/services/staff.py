"""Staff: who of ours may do what."""

from collections.abc import Iterable
from uuid import UUID

from apps.approvals.errors import ApprovalRequired
from apps.approvals.services import guard, is_required
from apps.core.access import Role
from apps.core.clock import now
from apps.core.errors import Invalid
from apps.core.principal import Principal
from apps.core.write import Write, write
from apps.users.errors import NotStaff
from apps.users.models import StaffMember, User
from apps.users.services.common import end_sessions, locked, refuse_last_super_admin, saved, target_of
from apps.users.services.passwords import queue_invitation
from apps.users.services.people import new_user, new_user_target

# The action that may need a second person (apps.users.services.approved).
GRANT_SUPER_ADMIN = "users.grant_super_admin"
_ADD_FIRST = "super_admin needs a second person: add them without it, then change their roles."


class StaffRolesInvalid(Invalid):
    code = "STAFF_ROLES_INVALID"
    message = "Staff have one or more of the known roles."


def checked_roles(roles: Iterable[str]) -> list[str]:
    """Known roles without repetition, in the order of the matrix.

    Raises:
        StaffRolesInvalid: an unknown one.
    """
    wanted = set(roles)
    known: list[str] = [role.value for role in Role if role.value in wanted]
    if len(known) != len(wanted):
        unknown = ", ".join(sorted(wanted - set(known)))
        raise StaffRolesInvalid(details={"staff_roles": [f"There is no such role: {unknown}."]})
    return known


def create_staff(
    *,
    actor: Principal,
    email: str,
    roles: Iterable[str],
    name: str = "",
    password: str | None = None,
    reason: str = "",
) -> User:
    """Takes somebody on: a new person with staff roles. Without a password they get a mail with a link to set one.

    Raises:
        EmailInvalid, EmailTaken
        StaffRolesInvalid: none, or an unknown one.
        ApprovalRequired: super_admin, where that needs a second person.
    """
    wanted = checked_roles(roles)
    if not wanted:
        raise StaffRolesInvalid(details={"staff_roles": [StaffRolesInvalid.message]})
    if Role.SUPER_ADMIN.value in wanted and is_required(GRANT_SUPER_ADMIN, actor=actor):
        raise ApprovalRequired(details={"staff_roles": [_ADD_FIRST]})
    with write("staff.create", actor=actor, target=new_user_target(), reason=reason) as w:
        user = new_user(w, email=email, name=name, password=password)
        StaffMember.objects.create(user=user, roles=wanted)
        w.changed(after={"staff_roles": wanted})
        if password is None:
            queue_invitation(w, user)
        return User.objects.select_related("staff").get(pk=user.pk)


def set_staff_roles(
    *,
    actor: Principal,
    user_id: UUID,
    roles: Iterable[str],
    reason: str = "",
    if_match: int | None = None,
) -> User:
    """Gives a person exactly these staff roles (none: they are staff no longer); their sessions end.

    Raises:
        UserNotFound, UserChanged
        StaffRolesInvalid: an unknown role.
        LastSuperAdmin: the last active super_admin can't lose the role.
        ApprovalRequired: super_admin is new, and needs a second person (apps.users.services.approved).
    """
    wanted = checked_roles(roles)
    with write("staff.set_roles", actor=actor, target=target_of(user_id), reason=reason) as w:
        user = locked(actor=actor, permission="staff.manage", user_id=user_id, if_match=if_match)
        change_roles(w, user, wanted)
        saved(user)
        return user


def deactivate_staff(
    *, actor: Principal, user_id: UUID, reason: str = "", if_match: int | None = None
) -> User:
    """Ends a person's time as staff; their sessions end.

    Raises:
        UserNotFound, UserChanged
        NotStaff: they are not active as staff.
        LastSuperAdmin
    """
    with write("staff.deactivate", actor=actor, target=target_of(user_id), reason=reason) as w:
        user = locked(actor=actor, permission="staff.manage", user_id=user_id, if_match=if_match)
        if not user.is_staff:
            raise NotStaff
        change_roles(w, user, [])
        saved(user)
        return user


def change_roles(w: Write, user: User, wanted: list[str]) -> None:
    """Inside a write, the person's row locked: the new roles, and the end of the sessions. Nothing where they are
    the same."""
    before = sorted(user.staff_roles)
    if before == sorted(wanted):
        return
    if Role.SUPER_ADMIN.value not in wanted:
        refuse_last_super_admin(user)
    elif Role.SUPER_ADMIN.value not in before:
        guard(GRANT_SUPER_ADMIN, actor=w.entry.actor)
    # A row keeps the roles that were last held: a member without roles is one that is not active.
    fields = {"is_active": bool(wanted), "updated_at": now()} | ({"roles": wanted} if wanted else {})
    member, made = StaffMember.objects.get_or_create(user=user, defaults={"roles": wanted})
    if not made:
        for field, value in fields.items():
            setattr(member, field, value)
        member.save(update_fields=[*fields])
    user.staff = member
    w.changed(before={"staff_roles": before}, after={"staff_roles": wanted})
    w.note(sessions_ended=end_sessions(w, user))
