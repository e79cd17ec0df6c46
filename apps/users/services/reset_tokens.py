"""Links that let a person set a password: one counts at a time, once, for the hours of a knob."""

from datetime import datetime, timedelta

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.tokens import PasswordResetTokenGenerator

from apps.core.clock import now
from apps.users.knobs import RESET_HOURS
from apps.users.models import User


class ResetTokens(PasswordResetTokenGenerator):
    """Bound to the request that it was made for and to the present password.

    A new request, a new password and its own use (which is a new password, and closes the request) void it.
    The knob `global.password_reset_hours` is its life.
    """

    key_salt = "apps.users.services.reset_tokens"

    def _make_hash_value(self, user: AbstractBaseUser, timestamp: int) -> str:
        if not isinstance(user, User):
            raise TypeError("reset links are for people")
        opened = user.reset_requested_at
        return f"{user.pk}|{user.email}|{user.password}|{opened.isoformat() if opened else ''}|{timestamp}"

    def check_token(self, user: AbstractBaseUser | None, token: str | None) -> bool:
        """True where the token is the one that is open for the person."""
        if not isinstance(user, User) or user.reset_requested_at is None:
            return False
        return now() < expires_at(user.reset_requested_at) and super().check_token(user, token)


def expires_at(requested_at: datetime) -> datetime:
    """Until when a link counts that was asked for at that moment."""
    return requested_at + timedelta(hours=RESET_HOURS.get())


reset_tokens = ResetTokens()
