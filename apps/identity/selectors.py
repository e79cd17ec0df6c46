"""Reads of the identity app."""

import hashlib
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.identity.models import ExternalIdentity, NileSession, RevokedToken, SigningKey


def published_keys(moment: datetime) -> list[SigningKey]:
    """The keys that our JWK set holds at that moment, newest first."""
    return list(SigningKey.objects.filter(Q(published_until__isnull=True) | Q(published_until__gt=moment)))


def signing_key_at(moment: datetime) -> SigningKey | None:
    """The key that signs at that moment; None on an empty database."""
    return (
        SigningKey.objects.filter(signs_from__lte=moment)
        .filter(Q(signs_until__isnull=True) | Q(signs_until__gt=moment))
        .order_by("-signs_from")
        .first()
    )


def newest_key() -> SigningKey | None:
    """The key that has no successor yet: it signs, or will."""
    return SigningKey.objects.filter(signs_until__isnull=True).first()


def revocation_digest(issuer: str, jti: str) -> str:
    """What a single revoked token is kept under."""
    return hashlib.sha256(f"{issuer}\n{jti}".encode()).hexdigest()


def is_revoked(issuer: str, jti: str) -> bool:
    return RevokedToken.objects.filter(digest=revocation_digest(issuer, jti)).exists()


def person_of(issuer: str, subject: str) -> ExternalIdentity | None:
    """Who that is among our people, with the person's row and staff row."""
    return (
        ExternalIdentity.objects.filter(issuer=issuer, subject=subject)
        .select_related("user", "user__staff")
        .first()
    )


def identities_of(user_id: UUID) -> QuerySet[ExternalIdentity]:
    """As whom other issuers know a person, the oldest first."""
    return ExternalIdentity.objects.filter(user_id=user_id)


def nile_session(digest: str) -> NileSession | None:
    """That session of Nile, if it was seen before, with whose it is, the person's row and staff row."""
    return (
        NileSession.objects.filter(digest=digest)
        .select_related("identity", "identity__user", "identity__user__staff")
        .first()
    )
