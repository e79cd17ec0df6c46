"""Machines at a door: by the scopes of a token, by an automation key, by where they stand."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.test import Client

from apps.core.principal import system
from apps.identity.services.tokens import issue_token
from apps.tenants.models import Tenant
from tests.surfaces.callers import Caller

OUTSIDE = "203.0.113.9"


def by_scopes(*scopes: str, subject: str = "svc-tests", tenant: Tenant | None = None, **extra: Any) -> Client:
    """A machine with a token of the embedded issuer, of a tenant where one is given."""
    token = issue_token(actor=system("tests"), subject=subject, scopes=scopes, tenant=tenant)
    return Client(headers={"Authorization": f"Bearer {token.text}"}, raise_request_exception=False, **extra)


def admin_key() -> str:
    """The first automation key of the tests' settings, in clear."""
    return str(settings.ADMIN_KEYS[0]).partition(":")[2]


def by_key(key: str | None = None) -> Client:
    return Client(headers={"X-Admin-Key": key or admin_key()}, raise_request_exception=False)


@dataclass(frozen=True)
class Machine(Caller):
    """A caller with a token of these scopes (None: no token), a key, or neither."""

    scopes: Iterable[str] | None = None
    key: str | None = None
    address: str = "127.0.0.1"
    tenant: Tenant | None = None

    @cached_property
    def client(self) -> Client:
        if self.user is not None:
            return super().client
        if self.scopes is not None:
            return by_scopes(*self.scopes, tenant=self.tenant, REMOTE_ADDR=self.address)
        if self.key is not None:
            return by_key(self.key)
        return Client(raise_request_exception=False, REMOTE_ADDR=self.address)


def machine(name: str, **fields: Any) -> Machine:
    return Machine(name, frozenset(), is_known=fields.get("scopes") is not None, user=None, by="", **fields)
