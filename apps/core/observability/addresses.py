"""Where a request comes from: the connection, and what trusted proxies say."""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

from django.conf import settings
from django.http import HttpRequest

Address = IPv4Address | IPv6Address
# A request as WSGI has it.
Meta = Mapping[str, Any]
# What proxies write about whom they speak for, in the spellings of the common ones. Servers hand `-` and `_` on as the
# same; other signs are made so here.
_FORWARDING = re.compile(
    r"(X_)*((ORIGINAL_)?FORWARD(ED)?(_\w*)?|VIA(_\w*)?"
    r"|(\w+_)?(REAL|CLIENT|CONNECTING|REMOTE|ORIGINATING|SOCKET|USER|SOURCE|PROXYUSER)_?(IP|IPV?[46]|ADDR(ESS)?)"
    r"|ENVOY_EXTERNAL_ADDRESS|ORIGINAL_(HOST|URL|TO|FOR)|HOST|PROXY_\w+|CF_\w+|CDN_LOOP|BLUECOAT_VIA)"
)
_ODD = re.compile(r"[^A-Z0-9]+")


@lru_cache(maxsize=64)
def _networks(texts: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


def within(address: Address, networks: Sequence[str]) -> bool:
    """True where one of the networks (CIDR) holds the address; an IPv4-mapped one counts as IPv4."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in _networks(tuple(networks)))


@lru_cache(maxsize=4096)
def parse_hop(text: str) -> Address | None:
    """An address as proxies write it: bare, `1.2.3.4:80`, `[::1]:80`; None for anything else."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return mapped or parsed


def client_address_of(request: HttpRequest) -> str | None:
    """As `client_of`, of a request."""
    return client_of(request.META)


def client_of(meta: Meta) -> str | None:
    """The rightmost hop that is not a trusted proxy (settings.TRUSTED_PROXIES); `meta` as WSGI has it.

    X-Forwarded-For counts only where the connection itself comes from a trusted proxy; a hop that can't be read
    ends the walk, since what stands left of it was not written by a proxy of ours.
    """
    peer = parse_hop(meta.get("REMOTE_ADDR", ""))
    return None if peer is None else str(_walked(peer, meta)[0])


def _walked(peer: Address, meta: Meta) -> tuple[Address, bool]:
    """The client, and whether every hop on the way to it could be read."""
    known = peer
    if not within(peer, settings.TRUSTED_PROXIES):
        return known, True
    for text in reversed(meta.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        hop = parse_hop(text)
        if hop is None:
            return known, False
        known = hop
        if not within(hop, settings.TRUSTED_PROXIES):
            break
    return known, True


def is_forwarded(meta: Meta) -> bool:
    """True where some header says that the connection speaks for somebody else, however it is spelled."""
    return any(name.startswith("HTTP_") and _forwards(name) for name in meta)


@lru_cache(maxsize=4096)
def _forwards(name: str) -> bool:
    return name != "HTTP_HOST" and bool(_FORWARDING.fullmatch(_ODD.sub("_", name[5:].upper()).strip("_")))


def is_internal(request: HttpRequest) -> bool:
    """As `is_inside`, of a request."""
    return is_inside(request.META)


def is_inside(meta: Meta) -> bool:
    """True where the caller stands inside settings.INTERNAL_NETWORKS, taken from the connection itself.

    A forwarding header from a peer that is no trusted proxy is a refusal: behind an unlisted proxy everybody
    would seem to stand inside. So is one from a trusted proxy that does not say for whom, in X-Forwarded-For.
    Source: contracts/service.md, "Internal routes".
    """
    peer = parse_hop(meta.get("REMOTE_ADDR", ""))
    if peer is None or not within(peer, settings.INTERNAL_NETWORKS):
        return False
    if not is_forwarded(meta):
        return True
    if not within(peer, settings.TRUSTED_PROXIES):
        return False
    client, is_readable = _walked(peer, meta)
    return is_readable and within(client, settings.INTERNAL_NETWORKS)
