"""What an operator may turn about people: sign-in, sessions, second factors."""

from django.conf import settings

from apps.core.knobs import Knob, boolean, integer

_SIGN_IN = "Sign-in"


def _attempts(name: str, default: int, minimum: int, maximum: int, what: str) -> Knob[int]:
    return integer(
        f"sign_in.{name}",
        default=default,
        minimum=minimum,
        maximum=maximum,
        section=_SIGN_IN,
        description=f"{what} after which no more is tried until the oldest is forgotten.",
    )


PASSWORD_BY_PAIR = _attempts(
    "failures_per_account_and_address",
    5,
    3,
    20,
    "Wrong passwords of one account from one address in 15 minutes",
)
PASSWORD_BY_ADDRESS = _attempts(
    "failures_per_address", 30, 5, 500, "Wrong passwords from one address in 15 minutes"
)
PASSWORD_BY_SPRAY = _attempts(
    "accounts_per_address", 10, 3, 200, "Different accounts with wrong passwords from one address in an hour"
)
PASSWORD_BY_ACCOUNT = _attempts(
    "failures_per_account", 30, 5, 500, "Wrong passwords of one account from all addresses in 15 minutes"
)
MFA_FOR_ALL = boolean(
    "global.mfa_required_for_all_staff",
    default=lambda: bool(settings.MFA_REQUIRED_FOR_ALL_STAFF),
    section=_SIGN_IN,
    description="Whether every member of staff needs an authenticator app; super_admin always does.",
)
RESET_HOURS = integer(
    "global.password_reset_hours",
    default=24,
    minimum=1,
    maximum=72,
    section=_SIGN_IN,
    description="Hours for which a link to set a password counts.",
)
