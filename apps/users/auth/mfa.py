"""Second factors of a session: who needs one, whether it was shown, and when the last proof was."""

from datetime import UTC, datetime

from allauth.account.authentication import get_authentication_records
from django.http import HttpRequest

from apps.users.models import User
from apps.users.services.mfa import mfa_required


def has_second_factor(request: HttpRequest) -> bool:
    """True where the session's sign-in, or a later proof in it, had a second factor.

    It can't outlive the authenticator: whoever takes that away, the person or an operator, ends the session, or the
    person is one who needs none.
    """
    user = request.user
    if not isinstance(user, User):
        return False
    return any(record.get("method") == "mfa" for record in get_authentication_records(request, user))


def must_enrol(request: HttpRequest) -> bool:
    """True where the signed-in person needs a second factor and this session has none: no page but those that set
    one up or ask for it may be shown (/accounts/2fa/totp/activate/ sends on to where the code is asked for, where there
    is an app already). No query: the person came with the request, the proofs stand in the session."""
    user = request.user
    return isinstance(user, User) and mfa_required(user) and not has_second_factor(request)


def auth_time(request: HttpRequest) -> datetime | None:
    """When the person last proved themselves in this session, by password or code (the `auth_time` of OpenID
    Connect); None without a session."""
    if not isinstance(request.user, User):
        return None
    proofs = [record["at"] for record in get_authentication_records(request, request.user) if "at" in record]
    return datetime.fromtimestamp(max(proofs), UTC) if proofs else None


def methods(request: HttpRequest) -> list[str]:
    """How the person proved themselves in this session, in order: `password`, `totp`, `recovery_codes`."""
    if not isinstance(request.user, User):
        return []
    return named_methods(request, request.user)


def named_methods(request: HttpRequest, user: User) -> list[str]:
    """As `methods`, for a person whose sign-in is under way."""
    records = get_authentication_records(request, user)
    return [str(record.get("type") or record.get("method")) for record in records]
