"""Mails as jobs: written with the change that causes them, sent after commit, again where the relay is away.

A mail holds personal data and single-use links, so its job keeps it sealed.
"""

import json
import smtplib
from dataclasses import asdict, dataclass
from email.utils import parseaddr
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from apps.core.errors import Unprocessable
from apps.core.ids import JOB, public
from apps.core.sealing import open_text, seal_text
from apps.core.write import Write

SEND_MAIL = "core.send_mail"
PURPOSE = "mail"


class MailRefused(Unprocessable):
    """The relay refuses the mail for good."""

    code = "MAIL_REFUSED"
    message = "The mail relay refuses this mail."


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
        OSError, smtplib.SMTPException: the relay is away; try again.
    """
    message = Message(**json.loads(open_text(sealed, purpose=PURPOSE)))
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
        codes = [code for code, _ in refused.recipients.values()]
        if codes and all(code >= 500 for code in codes):
            raise MailRefused(f"The mail relay refuses the recipient ({codes[0]}).") from None
        raise
    except smtplib.SMTPResponseException as refused:
        if refused.smtp_code >= 500 and not isinstance(refused, smtplib.SMTPAuthenticationError):
            raise MailRefused(f"The mail relay refuses the mail ({refused.smtp_code}).") from None
        raise
