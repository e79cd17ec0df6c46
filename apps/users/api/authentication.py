"""Staff at the surfaces, by the session of the back office."""

from django.conf import settings
from django.http import HttpRequest

from apps.core.errors import Forbidden, Unauthenticated
from apps.core.principal import Principal
from apps.users.auth.mfa import must_enrol
from apps.users.models import User


class NotStaffHere(Forbidden):
    message = "This surface is for Steward's staff."


class SecondFactorMissing(Unauthenticated):
    code = "SECOND_FACTOR_MISSING"
    message = "Your role needs a second factor: sign in with your authenticator app first."


class StaffSession:
    """Django's session cookie; the kit asks for the CSRF token on unsafe methods."""

    uses_cookies = True

    def authenticate(self, request: HttpRequest) -> Principal | None:
        """The member of staff; None without a session, or with one that has ended (revoked, suspended, expired).

        Raises:
            NotStaffHere: somebody is signed in who is not, or no longer, staff.
            SecondFactorMissing: a super_admin whose session has no second factor (others by setting).
        """
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        user = request.user
        if not isinstance(user, User):
            return None
        if not user.is_staff:
            raise NotStaffHere
        if must_enrol(request):
            raise SecondFactorMissing
        return user.principal(via="platform", address=None, session=request.session.session_key)
