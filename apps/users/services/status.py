"""Suspended and blocked: two independent facts about a person, each with its way back."""

from datetime import datetime
from uuid import UUID

from apps.core.clock import iso, now
from apps.core.principal import Principal
from apps.core.write import Write, write
from apps.users.enums import UserStatus
from apps.users.errors import AlreadyBlocked, AlreadySuspended, NotBlocked, NotSuspended
from apps.users.models import User
from apps.users.services.common import (
    checked_reason,
    end_sessions,
    locked,
    refuse_last_super_admin,
    refuse_yourself,
    saved,
    target_of,
)


def suspend_user(*, actor: Principal, user_id: UUID, reason: str, if_match: int | None = None) -> User:
    """Suspends a person: every session and token ends with the next request.

    Raises:
        ReasonInvalid, UserNotFound, UserChanged
        AlreadySuspended: a second call.
        Yourself, LastSuperAdmin: nobody would be left to lift it.
    """
    reason = checked_reason(reason)
    with write("user.suspend", actor=actor, target=target_of(user_id), reason=reason) as w:
        user = locked(actor=actor, permission="users.suspend", user_id=user_id, if_match=if_match)
        if user.suspended_at is not None:
            raise AlreadySuspended
        refuse_yourself(actor, user)
        refuse_last_super_admin(user)
        before = user.status
        user.suspended_at = now()
        saved(user, "suspended_at")
        w.note(sessions_ended=end_sessions(w, user))
        w.changed(
            before={"status": before, "suspended_at": None},
            after={"status": user.status, "suspended_at": iso(user.suspended_at)},
        )
        w.publish("user.suspended", user_id=str(user.pk))
        return user


def unsuspend_user(*, actor: Principal, user_id: UUID, reason: str = "", if_match: int | None = None) -> User:
    """Lifts a suspension; a block stays.

    Raises:
        UserNotFound, UserChanged
        NotSuspended: there is none.
    """
    with write("user.unsuspend", actor=actor, target=target_of(user_id), reason=reason) as w:
        user = locked(actor=actor, permission="users.suspend", user_id=user_id, if_match=if_match)
        if user.suspended_at is None:
            raise NotSuspended
        before = {"status": user.status, "suspended_at": iso(user.suspended_at)}
        user.suspended_at = None
        saved(user, "suspended_at")
        w.changed(before=before, after={"status": user.status, "suspended_at": None})
        w.publish("user.unsuspended", user_id=str(user.pk))
        return user


def block_user(*, actor: Principal, user_id: UUID, reason: str, if_match: int | None = None) -> User:
    """Blocks a person, as `suspend_user` does with a suspension (contracts/console.md, `/users/{userId}/block`).

    Raises:
        ReasonInvalid, UserNotFound, UserChanged
        AlreadyBlocked: a second call.
        Yourself, LastSuperAdmin
    """
    reason = checked_reason(reason)
    with write("user.block", actor=actor, target=target_of(user_id), reason=reason) as w:
        user = locked(actor=actor, permission="users.block", user_id=user_id, if_match=if_match)
        if user.blocked_at is not None:
            raise AlreadyBlocked
        refuse_yourself(actor, user)
        refuse_last_super_admin(user)
        before = user.status
        user.blocked_at = now()
        saved(user, "blocked_at")
        w.note(sessions_ended=end_sessions(w, user))
        w.changed(
            before={"status": before, "blocked_at": None},
            after={"status": user.status, "blocked_at": iso(user.blocked_at)},
        )
        w.publish("user.blocked", user_id=str(user.pk))
        return user


def unblock_user(*, actor: Principal, user_id: UUID, reason: str = "", if_match: int | None = None) -> User:
    """Lifts a block; a suspension stays.

    Raises:
        UserNotFound, UserChanged
        NotBlocked: there is none.
    """
    with write("user.unblock", actor=actor, target=target_of(user_id), reason=reason) as w:
        user = locked(actor=actor, permission="users.block", user_id=user_id, if_match=if_match)
        if user.blocked_at is None:
            raise NotBlocked
        before = {"status": user.status, "blocked_at": iso(user.blocked_at)}
        user.blocked_at = None
        saved(user, "blocked_at")
        w.changed(before=before, after={"status": user.status, "blocked_at": None})
        w.publish("user.unblocked", user_id=str(user.pk))
        return user


def set_status(w: Write, user: User, status: UserStatus) -> None:
    """Inside a write, the person's row locked: the facts behind a status that shall be shown. `active` lifts both,
    `suspended` lifts a block, `blocked` leaves a suspension as it is. Nothing where it is shown already.

    Raises:
        Yourself, LastSuperAdmin: as `suspend_user`.
    """
    before = user.status
    if status == before:
        return
    if status is not UserStatus.ACTIVE:
        refuse_yourself(w.entry.actor, user)
        refuse_last_super_admin(user)
    facts = {"suspended_at": user.suspended_at, "blocked_at": user.blocked_at}
    wanted = {
        "suspended_at": {
            UserStatus.ACTIVE: None,
            UserStatus.SUSPENDED: user.suspended_at or now(),
        }.get(status, user.suspended_at),
        "blocked_at": now() if status is UserStatus.BLOCKED else None,
    }
    user.suspended_at, user.blocked_at = wanted["suspended_at"], wanted["blocked_at"]
    user.save(update_fields=["suspended_at", "blocked_at"])
    w.changed(before={"status": before, **_written(facts)}, after={"status": user.status, **_written(wanted)})
    if status is not UserStatus.ACTIVE:
        w.note(sessions_ended=end_sessions(w, user))
    for fact, up, down in (
        ("suspended_at", "user.suspended", "user.unsuspended"),
        ("blocked_at", "user.blocked", "user.unblocked"),
    ):
        if (facts[fact] is None) != (wanted[fact] is None):
            w.publish(down if wanted[fact] is None else up, user_id=str(user.pk))


def _written(facts: dict[str, datetime | None]) -> dict[str, str | None]:
    return {name: iso(at) if at else None for name, at in facts.items()}
