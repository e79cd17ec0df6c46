"""apps.core.outbound.guard: nothing inside our own walls is called."""

import ipaddress
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.outbound.guard import AddressRefused, Guard, NameUnresolved, is_public

INSIDE = [
    "0.0.0.0",  # noqa: S104  nothing is bound: it must be refused
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "168.63.129.16",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2002:a9fe:a9fe::",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
OUTSIDE = [
    "1.1.1.1",
    "93.184.216.34",
    "2606:4700::1111",
    "::ffff:1.1.1.1",
    "64:ff9b::101:101",
    "2002:101:101::",
]


def _answering(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    asked: list[str] = []

    def look_up(host: str, port: int, **_options: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


@pytest.mark.parametrize("address", INSIDE)
def test_an_inner_address_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_outer_address_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@given(inner=st.ip_addresses(v=4))
def test_an_ipv6_address_that_stands_for_an_ipv4_one_is_judged_as_that(inner: ipaddress.IPv4Address) -> None:
    number = int(inner)
    for wrapped in (
        ipaddress.IPv6Address(0xFFFF << 32 | number),
        ipaddress.IPv6Address((0x64FF9B << 96) | number),
        ipaddress.IPv6Address((0x2002 << 112) | (number << 80)),
    ):
        assert is_public(wrapped) == is_public(inner)


@given(address=st.ip_addresses())
def test_nothing_that_the_library_calls_private_is_public(address: Any) -> None:
    if is_public(address):
        inner = getattr(address, "ipv4_mapped", None) or address
        for kind in ("is_private", "is_loopback", "is_link_local", "is_multicast"):
            assert not getattr(inner, kind)


@pytest.mark.parametrize("address", INSIDE)
def test_a_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    _answering(monkeypatch, address)
    with pytest.raises(AddressRefused) as refused:
        Guard().resolve("evil.example", 443)
    assert address not in refused.value.message


def test_one_inner_address_among_outer_ones_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    _answering(monkeypatch, "1.1.1.1", "127.0.0.1")
    with pytest.raises(AddressRefused):
        Guard().resolve("evil.example", 443)


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1", "0177.0.0.1", "localhost", "[::1]"])
def test_other_spellings_of_this_machine_are_refused(host: str) -> None:
    with pytest.raises((AddressRefused, NameUnresolved)):
        Guard().resolve(host, 443)


def test_listed_networks_open_what_they_hold_and_nothing_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Guard(networks=["10.1.0.0/16", "fd00:1::/32"])
    for address, allowed in [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("10.2.0.1", False),
        ("fd00:1::5", True),
        ("fd00:2::5", False),
        ("169.254.169.254", False),
        ("127.0.0.1", False),
    ]:
        _answering(monkeypatch, address)
        if allowed:
            assert guard.resolve("inner.example", 443) == [address]
        else:
            with pytest.raises(AddressRefused):
                guard.resolve("inner.example", 443)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "https://example.com:8443/",
        "https://user:pw@example.com/",
        "https://user@example.com/",
        "https:///path",
        "https://",
        "//example.com",
        "example.com",
        "",
        "https://[::1",
        "https://exa mple.com/",
        "https://example.com:99999/",
        "java\tscript:alert(1)",
    ],
)
def test_a_url_of_another_form_is_refused_before_any_look_up(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    asked = _answering(monkeypatch, "1.1.1.1")
    with pytest.raises(AddressRefused) as refused:
        Guard().check(url)
    assert asked == []
    assert "pw" not in refused.value.message


def test_a_permitted_url_resolves(monkeypatch: pytest.MonkeyPatch) -> None:
    _answering(monkeypatch, "1.1.1.1", "1.1.1.1", "1.0.0.1")
    assert Guard().check("https://example.com/path?x=1") == ["1.1.1.1", "1.0.0.1"]


@pytest.mark.parametrize("host", ["no-such-name.invalid", "a" * 300, "exa\x00mple", "."])
def test_a_name_that_does_not_resolve_is_unavailable(host: str) -> None:
    with pytest.raises(NameUnresolved):
        Guard().resolve(host, 443)
