"""The first operator: without one, nobody could make another."""

import secrets
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import connection

from apps.core.access import Role
from apps.core.principal import Principal
from apps.core.write import write
from apps.users.models import StaffMember, User
from apps.users.querysets import active_super_admins
from apps.users.services.mfa import enrol_totp, new_secret
from apps.users.services.people import new_user, new_user_target

_LOCK = 727_102


@dataclass(frozen=True, slots=True)
class Operator:
    """What the operator's maker is told once; nothing of it is stored in clear."""

    user: User
    password: str
    totp_secret: str
    otpauth_uri: str


def bootstrap_operator(*, actor: Principal, email: str) -> Operator | None:
    """Makes a super_admin with a random password and an authenticator app; None where one can sign in already.

    Safe to call twice at once. Members of staff without a password (made for tokens) don't count: they can't sign in.

    Raises:
        EmailInvalid, EmailTaken
    """
    with write("staff.bootstrap", actor=actor, target=new_user_target()) as w:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        if any(member.user.has_usable_password() for member in active_super_admins().select_related("user")):
            w.note(made=False)
            return None
        password = secrets.token_urlsafe(15)
        user = new_user(w, email=email, name="Operator", password=password)
        user.staff = StaffMember.objects.create(user=user, roles=[Role.SUPER_ADMIN.value])
        secret = new_secret()
        enrol_totp(actor=actor, user=user, secret=secret)
        w.note(made=True)
        return Operator(
            user=user, password=password, totp_secret=secret, otpauth_uri=otpauth_uri(user.email, secret)
        )


def otpauth_uri(email: str, secret: str) -> str:
    """What an authenticator app reads from a QR code (the "Key Uri Format" of Google Authenticator)."""
    issuer = settings.MFA_TOTP_ISSUER
    label = quote(f"{issuer}:{email}")
    return f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': issuer})}"
