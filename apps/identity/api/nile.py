"""Authenticators for sessions of Nile (contracts/platform.md, "Who calls"). Without NILE_URL they are nobody's.

Which bearer token is whose is decided by its form, so that neither authenticator sees the other's: a signed JWT has
three parts between dots and is the JWT authenticator's, trusted issuer or not; it never goes to Nile. A session of Nile
is an opaque id, or an encrypted JWT, which has five (RFC 7516).
"""

import re

from django.conf import settings
from django.http import HttpRequest

from apps.core.principal import Principal
from apps.identity.api.authentication import bearer
from apps.identity.errors import TokenRefused
from apps.identity.gateways.nile import PLAIN_COOKIE, SECURE_COOKIE
from apps.identity.nile import nile_caller

# token68 (RFC 7235) is a part of what may stand in a cookie (RFC 6265); a cookie is never longer.
_FORM = re.compile(r"[A-Za-z0-9._~+/=-]{16,4096}", re.ASCII)
_DOTS_OF_A_SIGNED_JWT = 2


class NileBearer:
    """`Authorization: Bearer <session token of Nile>`."""

    def authenticate(self, request: HttpRequest) -> Principal | None:
        """None where Nile isn't set up, and without a bearer token that may be one of its sessions.

        Raises:
            TokenRefused: no session of Nile, or of somebody who may not come in now.
            NileAway: Nile doesn't say.
        """
        if not settings.NILE_URL:
            return None
        text = bearer(request)
        return nile_caller(text) if text is not None and may_be_nile(text) else None


class NileCookie:
    """The session cookie of Nile; the kit asks for the CSRF token on unsafe methods."""

    uses_cookies = True

    def authenticate(self, request: HttpRequest) -> Principal | None:
        """None where Nile isn't set up, and without its cookie.

        Raises:
            TokenRefused, NileAway: as NileBearer.
        """
        if not settings.NILE_URL:
            return None
        text = request.COOKIES.get(SECURE_COOKIE) or request.COOKIES.get(PLAIN_COOKIE)
        if not text:
            return None
        if not may_be_nile(text):
            raise TokenRefused("nile_form")
        return nile_caller(text)


def may_be_nile(text: str) -> bool:
    """True for the form of a session of Nile, which no signed JWT has."""
    return _FORM.fullmatch(text) is not None and text.count(".") != _DOTS_OF_A_SIGNED_JWT
