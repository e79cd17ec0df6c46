"""Whose tokens count: the embedded issuer's, and those of settings.EXTERNAL_ISSUERS."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from django.conf import settings

from apps.core.observability.addresses import within
from apps.core.outbound import Client, Guard
from apps.identity import jwks
from apps.identity.keys import EmbeddedKeys, ExternalKeys, KeySource


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """One issuer.

    Attributes:
        name: the exact `iss`.
        audience: what `aud` must hold.
        platform: whether platform rights in its tokens count.
        own: the embedded issuer: its `usr_…` subjects are our people.
        any_tenant: whether its tokens may speak for whatever tenant they name.
        tenant_id: else the only one that they may speak for; None: none at all.
    """

    name: str
    audience: str
    platform: bool
    own: bool
    keys: KeySource
    any_tenant: bool
    tenant_id: str | None = None


@dataclass(frozen=True, slots=True)
class InsideGuard(Guard):
    """For plain HTTP: nothing but the listed networks, so that a set never comes over the open Internet unproven."""

    def allows(self, address: IPv4Address | IPv6Address) -> bool:
        return within(address, self.networks)


# As EXTERNAL_ISSUERS writes it (config.issuers).
ANY_TENANT = "*"

embedded_keys = EmbeddedKeys()


class _Trust:
    """The issuers by name, built anew where the settings change (tests)."""

    def __init__(self) -> None:
        self._made_of: tuple[Any, ...] | None = None
        self._issuers: dict[str, TrustedIssuer] = {}
        self._guard = threading.Lock()

    def issuer(self, name: str) -> TrustedIssuer | None:
        parts = (
            settings.TOKEN_ISSUER,
            settings.TOKEN_AUDIENCE,
            settings.EXTERNAL_ISSUERS,
            settings.ISSUER_NETWORKS,
        )
        if parts != self._made_of:
            with self._guard:
                if parts != self._made_of:
                    self._issuers = _build(*parts)
                    self._made_of = parts
        return self._issuers.get(name)


def _build(
    own: str, audience: str, external: Sequence[Mapping[str, Any]], networks: Sequence[str]
) -> dict[str, TrustedIssuer]:
    ours = TrustedIssuer(
        name=own, audience=audience, platform=True, own=True, keys=embedded_keys, any_tenant=True
    )
    return {each.name: each for each in (*(_external(entry, networks) for entry in external), ours)}


def _external(entry: Mapping[str, Any], networks: Sequence[str]) -> TrustedIssuer:
    platform, tenant_id = entry.get("platform", False), entry.get("tenant_id")
    any_tenant = tenant_id == ANY_TENANT or (tenant_id is None and platform)
    return TrustedIssuer(
        name=entry["issuer"],
        audience=entry["audience"],
        platform=platform,
        own=False,
        keys=_keys_of(entry["issuer"], entry["jwks_url"], networks),
        any_tenant=any_tenant,
        tenant_id=None if any_tenant else tenant_id,
    )


def _keys_of(issuer: str, url: str, networks: Sequence[str]) -> ExternalKeys:
    secure = url.startswith("https://")
    guard = (
        Guard(schemes=("https",), ports=(), networks=networks)
        if secure
        else InsideGuard(schemes=("http",), ports=(), networks=networks)
    )
    client = Client(
        f"The key set of {issuer}",
        guard=guard,
        timeout=ExternalKeys.TIMEOUT,
        attempts=1,
        max_bytes=jwks.MAX_BYTES,
    )
    return ExternalKeys(issuer=issuer, url=url, client=client)


_trust = _Trust()


def trusted_issuer(name: object) -> TrustedIssuer | None:
    """The issuer of that exact name; None for one that nobody told us to trust."""
    return _trust.issuer(name) if isinstance(name, str) else None


def linkable_issuers() -> list[tuple[str, str]]:
    """The issuers at which a person of ours may be known: name, and how it is shown.

    Not the embedded one: its subjects are our own ids.
    """
    external = [(entry["issuer"], entry["issuer"]) for entry in settings.EXTERNAL_ISSUERS]
    nile = [(settings.NILE_URL, f"Nile: {settings.NILE_URL}")] if settings.NILE_URL else []
    return [*nile, *external]
