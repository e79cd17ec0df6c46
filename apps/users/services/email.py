"""Another e-mail address for a person."""

from uuid import UUID

from django.db import IntegrityError, transaction

from apps.core.principal import Principal
from apps.core.write import Write, write
from apps.users.errors import EmailTaken
from apps.users.models import User
from apps.users.services.common import end_sessions, locked, saved, target_of
from apps.users.services.passwords import notice
from apps.users.services.people import checked_email


def change_email(
    *, actor: Principal, user_id: UUID, email: str, reason: str = "", if_match: int | None = None
) -> User:
    """Gives a person another address: their sessions and tokens end, an open reset link is void, and the old
    address is told. Nothing of that where it is the same.

    Raises:
        UserNotFound, UserChanged
        EmailInvalid, EmailTaken
    """
    with write("user.change_email", actor=actor, target=target_of(user_id), reason=reason) as w:
        user = locked(actor=actor, permission="users.update", user_id=user_id, if_match=if_match)
        set_email(w, user, email)
        return saved(user)


def set_email(w: Write, user: User, email: str) -> None:
    """Inside a write, the person's row locked: as `change_email`.

    Raises:
        EmailInvalid, EmailTaken
    """
    address, before = checked_email(email), user.email
    if address == before:
        return
    # To the address that is about to go: whoever lost it hears of it.
    notice(w, user, "email_changed", "Your e-mail address was changed")
    user.email, user.reset_requested_at = address, None
    try:
        with transaction.atomic():
            user.save(update_fields=["email", "reset_requested_at"])
    except IntegrityError:
        raise EmailTaken(details={"email": [EmailTaken.message]}) from None
    w.changed(before={"email": before}, after={"email": address})
    w.note(sessions_ended=end_sessions(w, user))
