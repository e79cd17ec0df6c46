"""Mails as jobs: written with the change that causes them, sent after commit, again where the relay is away.

A mail holds personal data and single-use links, so its job keeps it sealed.
"""

import json
import smtplib
from dataclasses import asdict, dataclass
from email.utils import parseaddr
from typing import NoReturn
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from apps.core.erasing.traces import ERASED_EMAIL
from apps.core.errors import Unavailable, Unprocessable
from apps.core.ids import JOB, public
from apps.core.sealing import open_text, seal_text
from apps.core.write import Write

SEND_MAIL = "core.send_mail"
PURPOSE = "mail"


class MailRefused(Unprocessable):
    """The relay refuses the mail for good."""

    code = "MAIL_REFUSED"
    message = "The mail relay refuses this mail."


class MailRelayAway(Unavailable):
    """The relay doesn't take the mail now."""

    code = "MAIL_RELAY_AWAY"
    message = "The mail relay does not take mails now."


@dataclass(frozen=True, slots=True)
class Message:
    """One mail to one person: plain text, and the same as HTML where it helps."""

    to: str
    subject: str
    text: str
    html: str | None = None


def queue_mail(
    w: Write, *, to: str, subject: str, text: str, html: str | None = None, unique_key: str | None = None
) -> None:
    """Has a mail sent once the write has committed.

    Args:
        unique_key: names the mail's occasion, so that it is asked for once.
    """
    message = Message(to=to, subject=" ".join(subject.split()), text=text, html=html)
    sealed = seal_text(json.dumps(asdict(message)), purpose=PURPOSE)
    w.enqueue(SEND_MAIL, unique_key=unique_key, sealed=sealed)


def deliver(*, job_id: UUID, sealed: str) -> None:
    """Hands one mail to the relay. The Message-ID is made of the job's id: a run that was killed after the relay
    had taken the mail sends the same Message-ID again, by which mail systems know the double.

    Raises:
        MailRefused: for good (5xx): the recipient or the content.
        MailRelayAway, OSError, smtplib.SMTPException: not now; try again.
    """
    message = Message(**json.loads(open_text(sealed, purpose=PURPOSE)))
    if message.to == ERASED_EMAIL:  # whom it was for was erased while it waited
        return
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    mail = EmailMultiAlternatives(
        subject=message.subject,
        body=message.text,
        to=[message.to],
        headers={"Message-ID": f"<{public(JOB, job_id)}@{domain}>", "Auto-Submitted": "auto-generated"},
    )
    if message.html is not None:
        mail.attach_alternative(message.html, "text/html")
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as refused:
        # The library's own error names the recipient.
        codes = sorted({code for code, _ in refused.recipients.values()})
        _refuse(codes[0] if codes else 0)
    except smtplib.SMTPAuthenticationError:
        raise MailRelayAway("The mail relay does not accept our user name and password.") from None
    except smtplib.SMTPResponseException as refused:
        _refuse(refused.smtp_code)


def _refuse(code: int) -> NoReturn:
    if code >= 500:
        raise MailRefused(f"The mail relay refuses the mail ({code}).") from None
    raise MailRelayAway(f"The mail relay asks to try again ({code}).") from None
