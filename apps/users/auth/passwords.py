"""One attempt to prove who one is by password: counted, in constant work, and recorded where it fails."""

from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from apps.core.observability.addresses import client_address_of
from apps.core.principal import Principal, PrincipalKind
from apps.core.write import Outcome, Target, write
from apps.users.auth import devices, throttle
from apps.users.errors import SignInNotAllowed, SignInRefused
from apps.users.models import User, UserManager


def somebody(request: HttpRequest) -> Principal:
    """The caller before they have proved who they are."""
    return Principal(
        kind=PrincipalKind.USER, id="anonymous", address=client_address_of(request), via="accounts"
    )


def verify_password(request: HttpRequest, *, email: str, password: str) -> User:
    """The person behind a right password.

    Raises:
        SignInRefused: wrong; the work is the same for an address that nobody has.
        TooManyAttempts: not now (apps.core.attempts).
    """
    address = UserManager.normalize_email(email)
    user = User.objects.select_related("staff").filter(email=address).first()
    attempt = throttle.begin(
        throttle.Proof.PASSWORD,
        account=throttle.account_key(address),
        address=client_address_of(request),
        known_browser=devices.is_known(request, user),
    )
    if user is None or not user.has_usable_password():
        make_password(password)
        right = False
    else:
        right = user.check_password(password)
    if user is None or not right:
        record_failure(request, user, "auth.sign_in", because="password")
        raise SignInRefused
    throttle.succeeded(attempt)
    return user


def record_failure(request: HttpRequest, user: User | None, action: str, *, because: str) -> None:
    """A failed proof in the trail. Of an unknown address nothing is kept: it may be a mistyped password."""
    target = user.audit_target() if user is not None else Target(type="sign_in", id="")
    with write(action, actor=somebody(request), target=target, metadata={"because": because}) as w:
        w.entry.outcome = Outcome.FAILURE


def check_may_sign_in(user: User) -> None:
    """Only active staff come in here.

    Raises:
        SignInNotAllowed: with the sentence that says why; only for those whose proof was right.
    """
    if user.blocked_at is not None:
        raise SignInNotAllowed("This account is blocked. Ask an operator.")
    if user.suspended_at is not None:
        raise SignInNotAllowed("This account is suspended. Ask an operator.")
    if not user.is_staff:
        raise SignInNotAllowed(
            "This is the entrance for Steward's own staff. Sign in to your organisation's application instead."
        )
