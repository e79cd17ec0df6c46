"""Where a request comes from: the connection, and what trusted proxies say."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from django.conf import settings
from django.http import HttpRequest

Address = IPv4Address | IPv6Address
_FORWARDING = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_FORWARDED",
    "HTTP_X_REAL_IP",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_VIA",
)


@lru_cache(maxsize=16)
def _networks(texts: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


def within(address: Address, networks: Sequence[str]) -> bool:
    """True where one of the networks (CIDR) holds the address; an IPv4-mapped one counts as IPv4."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in _networks(tuple(networks)))


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
    """The rightmost hop that is not a trusted proxy (settings.TRUSTED_PROXIES).

    X-Forwarded-For counts only where the connection itself comes from a trusted proxy; a hop that can't be read
    ends the walk, since what stands left of it was not written by a proxy of ours.
    """
    peer = parse_hop(request.META.get("REMOTE_ADDR", ""))
    if peer is None:
        return None
    known = peer
    if not within(peer, settings.TRUSTED_PROXIES):
        return str(known)
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    for text in reversed(hops):
        hop = parse_hop(text)
        if hop is None:
            break
        known = hop
        if not within(hop, settings.TRUSTED_PROXIES):
            break
    return str(known)


def is_internal(request: HttpRequest) -> bool:
    """True where the caller stands inside settings.INTERNAL_NETWORKS, taken from the connection itself.

    A forwarding header from a peer that is no trusted proxy is a refusal: behind an unlisted proxy everybody
    would seem to stand inside. Source: contracts/service.md, "Internal routes".
    """
    peer = parse_hop(request.META.get("REMOTE_ADDR", ""))
    if peer is None or not within(peer, settings.INTERNAL_NETWORKS):
        return False
    if not any(request.META.get(header) for header in _FORWARDING):
        return True
    if not within(peer, settings.TRUSTED_PROXIES):
        return False
    client = parse_hop(client_address_of(request) or "")
    return client is not None and within(client, settings.INTERNAL_NETWORKS)
