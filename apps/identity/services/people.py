"""People of other issuers: who is who."""

from django.db import IntegrityError, transaction

from apps.core.principal import Principal
from apps.core.write import write
from apps.identity.errors import IdentityTaken
from apps.identity.models import ExternalIdentity
from apps.users.models import User


def link_identity(*, actor: Principal, user: User, issuer: str, subject: str) -> ExternalIdentity:
    """Says that `subject` at `issuer` is this person.

    Raises:
        IdentityTaken: it is somebody's already.
    """
    with write("identity.link", actor=actor, target=user.audit_target()) as w:
        try:
            with transaction.atomic():
                identity = ExternalIdentity.objects.create(user=user, issuer=issuer, subject=subject)
        except IntegrityError:
            raise IdentityTaken from None
        w.changed(after={"issuer": issuer, "subject": subject})
        return identity


def unlink_identity(*, actor: Principal, identity: ExternalIdentity, reason: str = "") -> None:
    """Forgets it: tokens of that subject are nobody's of ours from the next request on."""
    with write("identity.unlink", actor=actor, target=identity.user.audit_target(), reason=reason) as w:
        w.changed(before={"issuer": identity.issuer, "subject": identity.subject})
        identity.delete()
