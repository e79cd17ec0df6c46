"""Passwords: set by the person alone, through a link or the page of their account. Nobody else sees or sets one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from apps.core.clock import now
from apps.core.outbound.messages import queue_mail
from apps.core.principal import Principal, system
from apps.core.sealing import open_text, seal_text
from apps.core.write import Target, Write, write
from apps.users.errors import LinkUsed
from apps.users.models import User, UserManager
from apps.users.services.common import end_sessions, locked, target_of
from apps.users.services.reset_tokens import expires_at, reset_tokens

SEND_RESET_LINK = "users.send_reset_link"
_PURPOSE = "mail"


@dataclass(frozen=True, slots=True)
class ResetRequest:
    """A link is on its way."""

    user: User
    expires_at: datetime


def request_password_reset(
    *, actor: Principal, user_id: UUID, reason: str = "", if_match: int | None = None
) -> ResetRequest:
    """Mails the person a link that counts once, for 24 hours; every link before it is void.

    Raises:
        UserNotFound, UserChanged
    """
    with write("user.request_password_reset", actor=actor, target=target_of(user_id), reason=reason) as w:
        user = locked(actor=actor, permission="users.reset_password", user_id=user_id, if_match=if_match)
        return _mail_link(w, user, "password_reset", "Set a new password")


def queue_invitation(w: Write, user: User) -> ResetRequest:
    """Inside a write: mails a new member of staff a link to set their first password."""
    return _mail_link(w, user, "invitation", "Your account at Steward")


def _mail_link(w: Write, user: User, template: str, subject: str) -> ResetRequest:
    user.reset_requested_at = now()
    user.save(update_fields=["reset_requested_at"])
    until = expires_at(user.reset_requested_at)
    token = reset_tokens.make_token(user)
    path = reverse(
        "account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": token}
    )
    values = {"user": user, "link": f"{settings.PUBLIC_URL}{path}", "until": until}
    text = render_to_string(f"account/mail/{template}.txt", values)
    queue_mail(w, to=user.email, subject=subject, text=text)
    return ResetRequest(user=user, expires_at=until)


def forgotten_password(*, actor: Principal, email: str) -> None:
    """Somebody at the sign-in page has forgotten their password.

    Does the same work for every address: a job looks whether it is known, so that neither the answer nor its
    duration tells.
    """
    address = UserManager.normalize_email(email)
    with write("sign_in.forgotten_password", actor=actor, target=Target(type="sign_in", id="")) as w:
        w.enqueue(SEND_RESET_LINK, sealed=seal_text(address, purpose=_PURPOSE))


def send_reset_link(*, sealed: str) -> bool:
    """Mails a link to the person behind a sealed address; False where there is none who may use it."""
    address = open_text(sealed, purpose=_PURPOSE)
    found = User.objects.filter(email=address, suspended_at=None, blocked_at=None).first()
    if found is None:
        return False
    request_password_reset(actor=system(SEND_RESET_LINK), user_id=found.pk)
    return True


def set_password_by_link(*, actor: Principal, user_id: UUID, token: str, password: str) -> None:
    """The person sets a password through a link of a mail, once: of two who use it at once, the second is refused.

    Raises:
        LinkUsed: the link does not count any more.
    """
    with write("auth.reset_password", actor=actor, target=target_of(user_id)) as w:
        user = User.objects.select_for_update().filter(pk=user_id).first()
        if user is None or not reset_tokens.check_token(user, token):
            raise LinkUsed
        set_password(w, user, password)


def set_password(w: Write, user: User, password: str) -> None:
    """Inside a write: the person's new password. Every session, token and open link ends."""
    user.set_password(password)
    user.reset_requested_at = None
    user.save(update_fields=["password", "reset_requested_at"])
    w.note(sessions_ended=end_sessions(w, user))
    notice(w, user, "password_changed", "Your password was changed")


def notice(w: Write, user: User, template: str, subject: str) -> None:
    """Inside a write: tells a person by mail what happened to their account."""
    text = render_to_string(f"account/mail/{template}.txt", {"user": user, "at": w.entry.at})
    queue_mail(w, to=user.email, subject=subject, text=text)
