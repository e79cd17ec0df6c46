"""Callers of the internal routes: known by where they stand, never by a token.

Source: contracts/service.md, "Internal routes".
"""

import re

from django.http import HttpRequest

from apps.core.errors import Invalid
from apps.core.principal import Principal, PrincipalKind

PREFIX = "/internal"
# What such a caller has; never a scope of a token, which can't be written like this.
INTERNAL = "internal network"
HEADER = "X-Service-Id"
_NAME = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class InternalNetwork:
    """Everybody who reaches a path below /internal: the surface has let in nobody else (`Surface.admits`).

    `X-Service-Id` is the name by which a service is counted and stands in the trail; nobody proves it.
    """

    def authenticate(self, request: HttpRequest) -> Principal | None:
        """None for a path elsewhere.

        Raises:
            Invalid: a name that is none.
        """
        if not below(request.path_info):
            return None
        name = request.headers.get(HEADER, "")
        if name and not is_name(name):
            sentence = "A service's name has 1 to 64 letters, digits, dots, colons, hyphens or underscores."
            raise Invalid(details={HEADER: [sentence]})
        return principal_named(name)


def principal_named(name: str) -> Principal:
    """Who calls from inside under this name; empty where none was given."""
    return Principal(
        kind=PrincipalKind.SERVICE,
        id=f"internal|{name or 'unnamed'}",
        label=name,
        scopes=frozenset({INTERNAL}),
    )


def is_name(text: str) -> bool:
    """True for what `X-Service-Id` may say."""
    return _NAME.fullmatch(text) is not None


def below(path: str) -> bool:
    """True for the internal routes' prefix and all below it."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")
