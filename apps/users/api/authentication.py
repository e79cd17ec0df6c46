"""Staff at the surfaces, by the session of the back office."""

from django.conf import settings
from django.http import HttpRequest

from apps.core.errors import Unauthenticated
from apps.core.principal import Principal
from apps.users.auth.mfa import must_enrol
from apps.users.models import User


class SecondFactorMissing(Unauthenticated):
    code = "SECOND_FACTOR_MISSING"
    message = "Your role needs a second factor: sign in with your authenticator app first."


class StaffSession:
    """Django's session cookie; the kit asks for the CSRF token on unsafe methods."""

    uses_cookies = True

    def authenticate(self, request: HttpRequest) -> Principal | None:
        """The signed-in person; None without a session, or with one that has ended (revoked, suspended, expired).

        Who is not, or no longer, staff has no permission here: the kit refuses them (403) and puts it into the trail.

        Raises:
            SecondFactorMissing: a super_admin whose session has no second factor (others by setting).
        """
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        user = request.user
        if not isinstance(user, User):
            return None
        if must_enrol(request):
            raise SecondFactorMissing
        return user.principal(via="platform", address=None, session=request.session.session_key)
