"""Reads of the identity app."""

import hashlib
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.core.statements import Columns, Statement
from apps.identity.models import ExternalIdentity, NileSession, RevokedToken, SigningKey
from apps.users.models import StaffMember, User


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


# What stands about a token and a person now: asked at each request, so that it is one prepared statement.
_BEARER = Columns(u=User, s=StaffMember)
_STANDING = Statement(
    "SELECT EXISTS (SELECT FROM identity_revoked_token WHERE digest = %s), {columns} "
    "FROM (VALUES (1)) AS always LEFT JOIN users_user u ON u.id = %s "
    "LEFT JOIN users_staff_member s ON s.user_id = u.id",
    _BEARER,
)


def bearer(issuer: str, jti: str | None, user_id: UUID) -> tuple[bool, User | None]:
    """Whether the token was revoked, and the person with their staff row, as of now."""
    digest = revocation_digest(issuer, jti) if jti is not None else ""
    row = _STANDING.rows(digest, user_id)[0]
    person, member = _BEARER.read(row[1:])
    if person is not None:
        # As select_related does: who has no staff row is known to have none.
        person._state.fields_cache["staff"] = member  # noqa: SLF001
    return bool(row[0]), person


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
