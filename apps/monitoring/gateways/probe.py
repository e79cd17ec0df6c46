"""Asking a source: one GET, never followed elsewhere, to an address that the guard has checked."""

import ipaddress
import ssl
import time
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address

import certifi
from django.conf import settings

from apps.core.errors import DomainError
from apps.core.outbound.breaker import Breaker
from apps.core.outbound.guard import Guard, embedded_ipv4
from apps.core.outbound.http import Client

_LARGEST_ANSWER = 65_536
# Never, whatever a setting lists: metadata services hand out credentials.
_NEVER = tuple(
    ipaddress.ip_network(network)
    for network in (
        "169.254.0.0/16",  # RFC 3927: link-local, and the metadata address of most clouds
        "fe80::/10",  # RFC 4291: link-local
        "fd00:ec2::/32",  # AWS, IPv6
        "100.100.100.200/32",  # Alibaba Cloud
        "168.63.129.16/32",  # Azure
        "192.0.0.192/32",  # Oracle Cloud
    )
)


class SourceGuard(Guard):
    """HEALTH_SOURCE_NETWORKS and public addresses; metadata and link-local ones never.

    Source: contracts/service.md, sections 4 and 5.
    """

    def allows(self, address: IPv4Address | IPv6Address) -> bool:
        plain = embedded_ipv4(address) or address
        if any(plain.version == network.version and plain in network for network in _NEVER):
            return False
        return Guard.allows(self, address)


@dataclass(frozen=True, slots=True)
class Found:
    """What a source answered. `latency_ms` is None where nothing came; `message` says what was wrong."""

    is_good: bool
    latency_ms: int | None
    message: str = ""


def guard() -> SourceGuard:
    return SourceGuard(schemes=("http", "https"), ports=(), networks=settings.HEALTH_SOURCE_NETWORKS)


def probe(url: str, *, timeout_seconds: int) -> Found:
    """Asks once. 2xx is good; anything else isn't, a redirect too: where it leads is not looked at. Never raises."""
    # A breaker would answer in the source's place: every poll is to be made.
    client = Client(
        "health source",
        guard=guard(),
        timeout=timeout_seconds,
        attempts=1,
        max_bytes=_LARGEST_ANSWER,
        breaker=Breaker("health source", failures=1_000_000),
        verify=_roots(),
    )
    started = time.perf_counter()
    try:
        answer = client.request("GET", url, headers={"Accept": "application/json, */*;q=0.5"})
    except DomainError as failed:
        return Found(is_good=False, latency_ms=None, message=failed.message[:200])
    except (OSError, ValueError) as failed:
        return Found(is_good=False, latency_ms=None, message=f"It can't be asked: {type(failed).__name__}.")
    finally:
        client.close()
    took = round((time.perf_counter() - started) * 1000)
    if answer.ok:
        return Found(is_good=True, latency_ms=took)
    redirected = 300 <= answer.status < 400
    rest = ", a redirect, which is not followed." if redirected else "."
    return Found(is_good=False, latency_ms=took, message=f"It answers {answer.status}{rest}")


@cache
def _roots() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())
