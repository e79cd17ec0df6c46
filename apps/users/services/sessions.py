"""Sessions of people: ended by an operator, or by the person."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session

from apps.core.clock import now
from apps.core.errors import NotFound
from apps.core.principal import Principal
from apps.core.write import write
from apps.users.models import User
from apps.users.services.common import delete_sessions, end_sessions, locked, target_of


@dataclass(frozen=True, slots=True)
class Revocation:
    """What a revocation did."""

    user: User
    revoked_at: datetime
    terminated: int  # sessions of the back office that were live; tokens are void whether we know them or not


def revoke_sessions(
    *, actor: Principal, user_id: UUID, reason: str = "", if_match: int | None = None
) -> Revocation:
    """Ends every session, refresh token and issued token of a person, from the next request on.

    Raises:
        UserNotFound, UserChanged
    """
    with write("user.revoke_sessions", actor=actor, target=target_of(user_id), reason=reason) as w:
        user = locked(actor=actor, permission="users.revoke_sessions", user_id=user_id, if_match=if_match)
        terminated = end_sessions(w, user)
        w.note(sessions_ended=terminated)
        return Revocation(user=user, revoked_at=user.tokens_valid_after or now(), terminated=terminated)


def end_own_session(*, actor: Principal, user: User, session_id: int) -> None:
    """Ends one of the actor's own sessions.

    Raises:
        NotFound: it is not theirs, or over.
    """
    with write("session.end", actor=actor, target=user.audit_target()) as w:
        row = UserSession.objects.select_for_update().filter(pk=session_id, user=user).first()
        if row is None:
            raise NotFound("This session is over already.")
        Session.objects.filter(session_key=row.session_key).delete()
        row.delete()
        w.note(sessions_ended=1)


def end_other_sessions(*, actor: Principal, user: User, keep: str | None) -> int:
    """Ends the actor's own sessions but the one with the key `keep`; answers how many were live."""
    with write("session.end_others", actor=actor, target=user.audit_target()) as w:
        ended = delete_sessions(user, keep=keep)
        w.note(sessions_ended=ended)
        return ended
