"""Authenticators for bearer tokens; surfaces name them in settings.SURFACE_AUTHENTICATORS."""

from dataclasses import replace

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest

from apps.core.access import Role
from apps.core.principal import Principal
from apps.identity.callers import caller, principal_of
from apps.identity.errors import TokenRefused
from apps.identity.remembered import remembered
from apps.identity.verification import verify


class BearerToken:
    """`Authorization: Bearer <JWT>` of any trusted issuer (contracts/service.md and control.md, "Who calls").

    The principal has the token's scopes and roles as `scopes`, its tenant and its workspace, which is one of the
    tenant's. A person of ours has the staff roles of their row beside that.
    """

    challenge = "Bearer"

    def authenticate(self, request: HttpRequest) -> Principal | None:
        """None without a bearer token.

        Raises:
            TokenRefused: the token is not genuine, not in force, or revoked.
        """
        text = bearer(request)
        return None if text is None else caller(text)


class RememberedToken(BearerToken):
    """The same for routes that are also answered without PostgreSQL: who was let in is remembered, and let in by that
    while it is away (apps.identity.remembered)."""

    def authenticate(self, request: HttpRequest) -> Principal | None:
        text = bearer(request)
        if text is None:
            return None
        generation = remembered.generation
        try:
            token = verify(text)
            principal = principal_of(token)
        except (OperationalError, InterfaceError):
            known = remembered.get(text)
            if known is None:
                raise
            return known
        remembered.put(text, token, principal, generation=generation)
        return principal


class StaffToken(BearerToken):
    """The same for the platform surface: what a caller may do there are the roles of an active StaffMember row.

    Scopes count for nothing. A valid token of somebody else authenticates and then has no permission (403).
    """

    def authenticate(self, request: HttpRequest) -> Principal | None:
        found = super().authenticate(request)
        return None if found is None else replace(found, scopes=frozenset())


# What a platform role of a token comes to in the matrix of staff roles: an operator reads tenants and may do nothing.
_STAFF_ROLES = {
    "superadmin": Role.SUPER_ADMIN,
    "platform_admin": Role.SUPER_ADMIN,
    "platform_operator": Role.OPS,
}


class PlatformToken(BearerToken):
    """The same for the control surface: what a caller may do are the roles and scopes of the token alone.

    Platform roles count only from issuers of the platform (apps.identity.verification). The staff roles of a person's
    own row count for nothing: they are for the back office and the platform surface.
    """

    def authenticate(self, request: HttpRequest) -> Principal | None:
        found = super().authenticate(request)
        if found is None:
            return None
        roles = {role.value for name, role in _STAFF_ROLES.items() if name in found.scopes}
        return replace(found, roles=frozenset(roles))


def bearer(request: HttpRequest) -> str | None:
    """The token of the Authorization header (RFC 6750 2.1); None where it holds another scheme or nothing.

    Raises:
        TokenRefused: the scheme is Bearer, and what follows is not one token.
    """
    scheme, _, rest = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    text: str = rest.strip(" ")
    if not text or not text.isascii() or " " in text or "," in text:
        raise TokenRefused("header")
    return text
