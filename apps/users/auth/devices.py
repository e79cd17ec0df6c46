"""A browser that has signed in before carries a signed cookie for the account (OWASP: device cookies).

It opens nothing: it only spares the person the limits that are counted over all addresses, so that an attacker
elsewhere can't lock them out.
"""

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from apps.users.models import User

COOKIE = "steward_device"
_SALT = "apps.users.auth.devices"
_SECONDS = 180 * 24 * 3600


def remember(response: HttpResponse, user: User) -> None:
    """Marks the browser as one that has signed in to this account."""
    value = signing.dumps(user.public_id, salt=_SALT)
    response.set_cookie(
        COOKIE,
        value,
        max_age=_SECONDS,
        path="/accounts/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def is_known(request: HttpRequest, user: User | None) -> bool:
    """True where this browser has signed in to the account within 180 days."""
    value = request.COOKIES.get(COOKIE)
    if user is None or value is None:
        return False
    try:
        return bool(signing.loads(value, salt=_SALT, max_age=_SECONDS) == user.public_id)
    except signing.BadSignature:
        return False
