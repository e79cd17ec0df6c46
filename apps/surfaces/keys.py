"""Automation keys: `X-Admin-Key`, named in settings.ADMIN_KEYS as `name:key`; several are good at once, for rotation.

Source: contracts/automation.md, "Who calls".
"""

import hashlib
import hmac
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest

from apps.core import attempts
from apps.core.access import Role
from apps.core.attempts import By, Rule
from apps.core.errors import Forbidden
from apps.core.principal import Principal, PrincipalKind

HEADER = "X-Admin-Key"
_KIND = "admin-key"
_RULES = (Rule(By.ADDRESS, 10, timedelta(minutes=1), locks_for=timedelta(minutes=5)),)
# Nobody's account is meant: failures count by address alone.
_ACCOUNT = attempts.account_key("")


class KeyRefused(Forbidden):
    """The same for a missing key and a wrong one."""

    code = "KEY_REFUSED"
    message = "A valid X-Admin-Key is needed."


class AdminKey:
    """Whoever holds a key may do everything on the surface; the trail names the key."""

    def authenticate(self, request: HttpRequest) -> Principal:
        """The key's principal.

        Raises:
            KeyRefused: no key, or a wrong one.
            TooManyAttempts: the same, after 10 failures of the address in a minute; for 5 minutes. A good key
                always passes.
        """
        name = _owner(request.META.get("HTTP_X_ADMIN_KEY", ""))
        if name is None:
            address = getattr(request, "client_address", None) or request.META.get("REMOTE_ADDR") or None
            attempts.failed(_KIND, rules=_RULES, account=_ACCOUNT, address=address)
            raise KeyRefused
        return Principal(
            kind=PrincipalKind.KEY, id=name, label=name, roles=frozenset({Role.SUPER_ADMIN.value})
        )


def _owner(presented: str) -> str | None:
    """The name of the key; every key is compared, whether one before it was the right one or not."""
    # A header arrives as Latin-1 (PEP 3333); whoever set the key wrote UTF-8.
    digest = _digest(presented.encode("latin-1", "replace"))
    found = None
    for entry in settings.ADMIN_KEYS:
        name, _, key = entry.partition(":")
        if hmac.compare_digest(digest, _digest(key.encode())):
            found = name
    return found


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
