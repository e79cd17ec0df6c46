"""Which addresses may be called: scheme and port from a list, and nothing inside our own walls.

A name is resolved once, every address it has is checked, and the connection goes to the checked address itself:
a second look-up could give another answer (DNS rebinding).
"""

import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import httpx

from apps.core.errors import Unavailable, Unprocessable

Address = IPv4Address | IPv6Address

_HOST = re.compile(rb"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052
# What `is_global` lets through or may not know, each with its source.
_REFUSED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",  # RFC 6890: protocol assignments
        "192.88.99.0/24",  # RFC 7526: 6to4 relays, withdrawn
        "168.63.129.16/32",  # Azure's host agent and metadata
        "64:ff9b:1::/48",  # RFC 8215: local NAT64
        "::/96",  # RFC 4291: IPv4-compatible, withdrawn
        "2001::/32",  # RFC 4380: Teredo
        "fec0::/10",  # RFC 3879: site-local, withdrawn
        "5f00::/16",  # RFC 9602: segment routing
        "3fff::/20",  # RFC 9637: documentation
    )
)


class AddressRefused(Unprocessable):
    """The address may not be called; the sentence says why, without what it resolved to."""

    code = "ADDRESS_REFUSED"
    message = "This address may not be called."


class NameUnresolved(Unavailable):
    code = "NAME_UNRESOLVED"
    message = "The name of the address can't be resolved."


def embedded_ipv4(address: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for: mapped, 6to4 (RFC 3056) or NAT64 (RFC 6052)."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None


def is_public(address: Address) -> bool:
    """False for private, loopback, link-local, metadata, multicast and reserved addresses, and for IPv6 addresses
    that stand for one of those."""
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return False
    inner = embedded_ipv4(address)
    if inner is not None:
        return is_public(inner)
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    return not any(address.version == network.version and address in network for network in _REFUSED)


@dataclass(frozen=True, slots=True)
class Guard:
    """A purpose's rules.

    Attributes:
        schemes: allowed schemes.
        ports: allowed ports; empty: any.
        networks: networks (CIDR) that may be called although they are not public, from a setting for this purpose.
    """

    schemes: Sequence[str] = ("https",)
    ports: Sequence[int] = (443,)
    networks: Sequence[str] = ()

    def check_url(self, url: str) -> httpx.URL:
        """The parsed address, if its form is allowed; names are resolved by `resolve`.

        Raises:
            AddressRefused: it can't be read, scheme or port are not allowed, or it carries a user name.
        """
        try:
            parsed = httpx.URL(url)
        except (httpx.InvalidURL, ValueError):
            raise AddressRefused("The address can't be read.") from None
        if parsed.scheme not in self.schemes:
            raise AddressRefused(
                f"The address must start with {' or '.join(f'{each}://' for each in self.schemes)}."
            )
        if not _HOST.fullmatch(parsed.raw_host):
            raise AddressRefused("The address names no host that can be called.")
        if parsed.userinfo:
            raise AddressRefused("The address may not carry a user name or password.")
        self._check_port(parsed.port or (443 if parsed.scheme == "https" else 80))
        return parsed

    def _check_port(self, port: int) -> None:
        if self.ports and port not in self.ports:
            raise AddressRefused(f"Port {port} may not be called.")

    def allows(self, address: Address) -> bool:
        """True for a public address, and for one in the listed networks."""
        if is_public(address):
            return True
        if isinstance(address, IPv6Address) and address.scope_id is not None:
            return False
        plain = embedded_ipv4(address) or address
        listed = (ipaddress.ip_network(network, strict=False) for network in self.networks)
        return any(plain.version == network.version and plain in network for network in listed)

    def resolve(self, host: str, port: int) -> list[str]:
        """The addresses of a host, all of them checked.

        Raises:
            AddressRefused: one of them may not be called.
            NameUnresolved: it has none.
        """
        self._check_port(port)
        try:
            found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise NameUnresolved(f"The name {host[:253]} can't be resolved.") from None
        texts = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for text in texts:
            if not self.allows(ipaddress.ip_address(text)):
                raise AddressRefused(f"{host[:253]} is an address that may not be called.")
        if not texts:
            raise NameUnresolved(f"The name {host[:253]} can't be resolved.")
        return texts

    def check(self, url: str) -> list[str]:
        """Form and addresses at once, for a form that takes an address: what it resolves to now.

        Raises:
            AddressRefused, NameUnresolved: as `check_url` and `resolve`.
        """
        parsed = self.check_url(url)
        return self.resolve(parsed.host, parsed.port or (443 if parsed.scheme == "https" else 80))
