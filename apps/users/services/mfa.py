"""Second factors: TOTP (RFC 6238) and recovery codes, in the tables of django-allauth, secrets sealed."""

import base64
import secrets
from uuid import UUID

from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from django.db import transaction

from apps.core.access import Role
from apps.core.clock import now
from apps.core.errors import Conflict
from apps.core.principal import Principal
from apps.core.sealing import open_text, seal_text
from apps.core.write import write
from apps.users.knobs import MFA_FOR_ALL
from apps.users.models import User
from apps.users.services.common import delete_sessions, end_sessions, locked, target_of
from apps.users.services.passwords import notice

PURPOSE = "mfa"
PERIOD_SECONDS = 30
DIGITS = 6
# RFC 6238 section 5.2: at most one step of delay; clocks that run ahead get the same.
_DRIFT_STEPS = 1


class MfaEnrolled(Conflict):
    code = "MFA_ENROLLED"
    message = "An authenticator app is set up already."


class MfaNotEnrolled(Conflict):
    code = "MFA_NOT_ENROLLED"
    message = "No authenticator app is set up."


class MfaRequired(Conflict):
    code = "MFA_REQUIRED"
    message = "Your role needs an authenticator app; it can't be removed."


def mfa_required(user: User) -> bool:
    """True where the person must have TOTP before the first page: super_admin always, other staff by
    a knob (its default is settings.MFA_REQUIRED_FOR_ALL_STAFF)."""
    roles = user.staff_roles
    return Role.SUPER_ADMIN.value in roles or (bool(roles) and MFA_FOR_ALL.get())


def new_secret() -> str:
    """160 random bits in base 32 (RFC 4226 section 4, R6)."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code_at(secret: str, counter: int) -> str:
    """The code of one time step: `counter` is Unix time divided by PERIOD_SECONDS."""
    return _hotp(secret).generate(counter).decode()


def matching_counter(secret: str, code: str, *, after: int = -1) -> int | None:
    """The time step that the code belongs to, near the present one and later than `after`; None: a wrong code.

    Every candidate is computed, whichever fits.
    """
    given = code.replace(" ", "").encode()
    present = int(now().timestamp()) // PERIOD_SECONDS
    found = None
    for counter in range(present - _DRIFT_STEPS, present + _DRIFT_STEPS + 1):
        if secrets.compare_digest(_hotp(secret).generate(counter), given) and counter > after:
            found = counter
    return found


def _hotp(secret: str) -> HOTP:
    return HOTP(base64.b32decode(secret), DIGITS, SHA1(), enforce_key_length=False)  # noqa: S303  RFC 6238's hash


def enrol_totp(
    *, actor: Principal, user: User, secret: str, counter: int = -1, keep: str | None = None
) -> None:
    """Sets up an authenticator app, and recovery codes. The person's other sessions end.

    Args:
        counter: the time step of the code that proved it; it can't be used again.
        keep: the key of the session that goes on.

    Raises:
        MfaEnrolled: there is one.
    """
    with write("mfa.enrol", actor=actor, target=user.audit_target()) as w:
        User.objects.select_for_update().get(pk=user.pk)
        if Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists():
            raise MfaEnrolled
        Authenticator.objects.create(
            user=user,
            type=Authenticator.Type.TOTP,
            data={"secret": seal_text(secret, purpose=PURPOSE), "last_counter": counter},
        )
        _new_recovery_codes(user)
        w.note(sessions_ended=delete_sessions(user, keep=keep))
        w.changed(before={"mfa_enabled": False}, after={"mfa_enabled": True})
        notice(w, user, "mfa_enrolled", "An authenticator app was added")


def remove_totp(*, actor: Principal, user: User) -> None:
    """Takes away one's own authenticator app and recovery codes.

    Raises:
        MfaRequired: the person's role needs it.
        MfaNotEnrolled
    """
    with write("mfa.remove", actor=actor, target=user.audit_target()) as w:
        if mfa_required(user):
            raise MfaRequired
        if not Authenticator.objects.filter(user=user).delete()[0]:
            raise MfaNotEnrolled
        w.changed(before={"mfa_enabled": True}, after={"mfa_enabled": False})
        notice(w, user, "mfa_removed", "Your authenticator app was removed")


def reset_mfa(*, actor: Principal, user_id: UUID, reason: str, if_match: int | None = None) -> User:
    """An operator takes away somebody's second factor (a lost telephone). Every session ends; whoever's role needs
    one sets up a new one at the next sign-in.

    Raises:
        UserNotFound, UserChanged
        MfaNotEnrolled
    """
    with write("mfa.reset", actor=actor, target=target_of(user_id), reason=reason) as w:
        user = locked(actor=actor, permission="staff.manage", user_id=user_id, if_match=if_match)
        if not Authenticator.objects.filter(user=user).delete()[0]:
            raise MfaNotEnrolled
        w.changed(before={"mfa_enabled": True}, after={"mfa_enabled": False})
        w.note(sessions_ended=end_sessions(w, user))
        notice(w, user, "mfa_removed", "Your authenticator app was removed")
        return user


def renew_recovery_codes(*, actor: Principal, user: User) -> None:
    """Ten new recovery codes; the old ones are void.

    Raises:
        MfaNotEnrolled: they are worth nothing without an authenticator app.
    """
    with write("mfa.renew_recovery_codes", actor=actor, target=user.audit_target()):
        User.objects.select_for_update().get(pk=user.pk)
        if not Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists():
            raise MfaNotEnrolled
        _new_recovery_codes(user)


def _new_recovery_codes(user: User) -> None:
    """allauth derives the codes from a seed; the seed is sealed."""
    Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()
    seed = seal_text(secrets.token_hex(40), purpose=PURPOSE)
    Authenticator.objects.create(
        user=user, type=Authenticator.Type.RECOVERY_CODES, data={"seed": seed, "used_mask": 0}
    )


def use_code(user: User, code: str) -> Authenticator | None:
    """The authenticator whose code this is, now used up; None for a wrong or a used one.

    The row is locked: of two who send the same code at once, one is refused.
    """
    with transaction.atomic():
        own = Authenticator.objects.select_for_update().filter(user=user).order_by("-type")
        for authenticator in own:
            if _accepts(authenticator, code.strip()):
                authenticator.record_usage()
                return authenticator
    return None


def _accepts(authenticator: Authenticator, code: str) -> bool:
    if authenticator.type == Authenticator.Type.TOTP:
        secret = open_text(authenticator.data["secret"], purpose=PURPOSE)
        counter = matching_counter(secret, code, after=authenticator.data.get("last_counter", -1))
        if counter is None:
            return False
        authenticator.data["last_counter"] = counter
        authenticator.save(update_fields=["data"])
        return True
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        return bool(authenticator.wrap().validate_code(code.replace(" ", "")))
    return False
