"""What the services of people share: a locked row, its version, the end of sessions."""

from uuid import UUID

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection

from apps.core.access import Role
from apps.core.clock import now
from apps.core.ids import USER, public
from apps.core.principal import Principal, PrincipalKind
from apps.core.write import Target, Write
from apps.tenants.models import Tenant
from apps.users.enums import MembershipRole
from apps.users.errors import (
    LastSuperAdmin,
    NeedsSuperAdmin,
    ReasonInvalid,
    UserChanged,
    UserNotFound,
    Yourself,
)
from apps.users.models import Membership, User
from apps.users.querysets import active_super_admins, visible_to

# Raised with every end of sessions: who remembers verified tokens forgets them (apps.core.live).
REVOCATIONS = "users.revocations"
_SUPER_ADMINS_LOCK = 727_101


def target_of(user_id: UUID) -> Target:
    """The person as the target of a write, before the row was read."""
    return Target(type="user", id=public(USER, user_id), person_id=user_id)


def locked(*, actor: Principal, permission: str, user_id: UUID, if_match: int | None = None) -> User:
    """The person's row, locked until the write ends.

    Args:
        if_match: the version that the caller has read; None: any.

    Raises:
        UserNotFound: no such person, or none that the actor reaches with this permission.
        NeedsSuperAdmin: the person is a super_admin, and the actor is none.
        UserChanged: the row has another version.
    """
    people = visible_to(actor, permission).select_related("staff")
    user = people.select_for_update(of=("self",)).filter(pk=user_id).first()
    if user is None:
        raise UserNotFound
    _refuse_below(actor, user)
    if if_match is not None and if_match != user.version:
        raise UserChanged(details={"current": user.version})
    return user


def saved(user: User, *fields: str) -> User:
    """Stores the named fields as a new version."""
    user.version += 1
    user.updated_at = now()
    user.save(update_fields=[*fields, "version", "updated_at"])
    return user


def checked_reason(reason: str) -> str:
    """The reason without outer spaces, 3 to 500 characters (contracts/platform.md, "Users").

    Raises:
        ReasonInvalid: shorter or longer.
    """
    reason = reason.strip()
    if not 3 <= len(reason) <= 500:
        raise ReasonInvalid(details={"reason": [ReasonInvalid.message]})
    return reason


def end_sessions(w: Write, user: User) -> int:
    """Ends every session and token of the person, inside the write; answers how many sessions were live.

    The raised stamp voids sessions (their hash) and tokens (their `iat`) with the next request; the rows go too,
    so that nothing is listed that no longer counts. Those who keep refresh tokens hear `user.sessions_ended`.
    """
    user.tokens_valid_after = now()
    user.save(update_fields=["tokens_valid_after"])
    ended = delete_sessions(user)
    w.touch(REVOCATIONS)
    w.publish("user.sessions_ended", user_id=str(user.pk))
    return ended


def delete_sessions(user: User, *, keep: str | None = None) -> int:
    """Removes the rows of the person's sessions but the kept one; answers how many of them were live."""
    own = UserSession.objects.filter(user=user)
    if keep is not None:
        own = own.exclude(session_key=keep)
    keys = list(own.values_list("session_key", flat=True))
    sessions = Session.objects.filter(session_key__in=keys)
    live = sessions.filter(expire_date__gt=now()).count()
    sessions.delete()
    own.delete()
    return live


def hold_owned(user_id: UUID, *, tenant_id: UUID | None = None) -> None:
    """Locks the tenants that the person owns (or the one that is meant) until the write ends: of two owners who go at
    once, the second is found to be the only one."""
    own = Membership.objects.filter(user_id=user_id, role=MembershipRole.OWNER)
    if tenant_id is not None:
        own = own.filter(tenant_id=tenant_id)
    tenants = Tenant.objects.filter(pk__in=own.values("tenant_id")).order_by("pk")
    list(tenants.select_for_update(no_key=True).values_list("pk"))


def _refuse_below(actor: Principal, user: User) -> None:
    """Whoever may suspend people or reset their passwords may not do it to those who stand above them."""
    if Role.SUPER_ADMIN not in user.staff_roles or Role.SUPER_ADMIN in actor.roles:
        return
    if actor.kind is not PrincipalKind.SYSTEM:
        raise NeedsSuperAdmin


def refuse_yourself(actor: Principal, user: User) -> None:
    """Raises Yourself where the actor is the person."""
    if actor.user_id == user.pk:
        raise Yourself


def refuse_last_super_admin(user: User) -> None:
    """Nobody may be the one without whom no active super_admin is left.

    Takes a lock, held until the write ends: of two who are demoted at once, the second finds itself the last.

    Raises:
        LastSuperAdmin: the person is it.
    """
    if Role.SUPER_ADMIN.value not in user.staff_roles or not user.is_active:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SUPER_ADMINS_LOCK])
    if not active_super_admins().exclude(user=user).exists():
        raise LastSuperAdmin
