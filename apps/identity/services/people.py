"""People of other issuers: who is who."""

from django.db import IntegrityError, transaction

from apps.core import ids
from apps.core.principal import Principal
from apps.core.write import write
from apps.identity.errors import IdentityTaken, IdentityUnknown, SubjectInvalid
from apps.identity.models import TOKENS_TOPIC, ExternalIdentity
from apps.identity.selectors import person_of
from apps.users.models import User
from apps.users.services.common import locked

_PERMISSION = "identities.manage"
_LONGEST = 255


def link_identity(
    *, actor: Principal, user: User, issuer: str, subject: str, reason: str = ""
) -> ExternalIdentity:
    """Says that `subject` at `issuer` is this person.

    Raises:
        UserNotFound: the person is gone, or the actor may not do this to them.
        SubjectInvalid: not 1 to 255 characters.
        IdentityTaken: it is somebody's already.
    """
    with write("identity.link", actor=actor, target=user.audit_target(), reason=reason) as w:
        locked(actor=actor, permission=_PERMISSION, user_id=user.pk)
        if not 1 <= len(subject) <= _LONGEST or "\0" in subject:
            raise SubjectInvalid(details={"subject": [SubjectInvalid.message]})
        try:
            with transaction.atomic():
                identity = ExternalIdentity.objects.create(
                    user=user, issuer=issuer, subject=subject, linked_by=actor.id[:_LONGEST]
                )
        except IntegrityError:
            raise _taken(user, issuer, subject) from None
        w.changed(after={"issuer": issuer, "subject": subject})
        w.touch(TOKENS_TOPIC)
        return identity


def _taken(user: User, issuer: str, subject: str) -> IdentityTaken:
    """Says whose it is: who links people may see all of them."""
    known = person_of(issuer, subject)
    if known is None:
        return IdentityTaken()
    if known.user_id == user.pk:
        return IdentityTaken("This person is known by this issuer and subject already.")
    whose = ids.public(ids.USER, known.user_id)
    return IdentityTaken(f"Another person is known by this issuer and subject: {whose}. Unlink them first.")


def unlink_identity(*, actor: Principal, identity: ExternalIdentity, reason: str = "") -> None:
    """Forgets it: tokens and sessions of that subject are nobody's of ours from the next request on.

    Raises:
        UserNotFound: the person is gone, or the actor may not do this to them.
        IdentityUnknown: somebody was faster.
    """
    with write("identity.unlink", actor=actor, target=identity.user.audit_target(), reason=reason) as w:
        locked(actor=actor, permission=_PERMISSION, user_id=identity.user_id)
        if not ExternalIdentity.objects.filter(pk=identity.pk).exists():
            raise IdentityUnknown
        w.changed(before={"issuer": identity.issuer, "subject": identity.subject})
        identity.delete()
        w.touch(TOKENS_TOPIC)
