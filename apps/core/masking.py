"""How personal data look to somebody who may not read them. Pure functions; the role decides elsewhere.

Source: contracts/platform.md, "Roles": e-mail `j***@acme.com`, name `J*** D***`, address `203.0.113.x`.
"""

import ipaddress
import re
from typing import Any

_EMAIL = re.compile(
    r"[A-Za-z0-9._%+'\-]{1,64}@(?:[A-Za-z0-9\-]{1,63}\.)+[A-Za-z]{2,63}|[^\s@<>\"',;:]+@[^\s@<>\"',;:]+"
)
_IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)")
_IPV6 = re.compile(
    r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{0,4}|(?:\d{1,3}\.){3}\d{1,3})(?![\w:])"
)

_NAME_KEYS = frozenset(
    {
        "name",
        "full_name",
        "first_name",
        "last_name",
        "given_name",
        "family_name",
        "display_name",
        "person",
        "user_name",
        "username",
        "owner_name",
        "contact_name",
    }
)
_EMAIL_KEYS = frozenset(
    {"email", "mail", "e_mail", "owner_email", "contact_email", "label", "actor", "confirmation"}
)
_ADDRESS_KEYS = frozenset(
    {"address", "ip", "ip_address", "client_address", "remote_addr", "vps_ip", "last_ip"}
)
_HIDDEN_KEYS = frozenset({"phone", "phone_number", "avatar", "avatar_url", "user_agent"})


def mask_email(email: str) -> str:
    """`jane@acme.com` -> `j***@acme.com`; what holds no `@` is masked as a name."""
    local, at, domain = email.strip().rpartition("@")
    if not at:
        return mask_name(email)
    return f"{local[:1]}***@{domain}"


def mask_name(name: str) -> str:
    """`John Doe` -> `J*** D***`: the first letter of each word."""
    return " ".join(f"{word[:1]}***" for word in name.split())


def mask_ip(address: str) -> str:
    """`203.0.113.7` -> `203.0.113.x`; `2001:db8:1::7` -> `2001:db8:1::x` (the first three groups stay)."""
    try:
        parsed = ipaddress.ip_address(address.strip().strip("[]").partition("%")[0])
    except ValueError:
        return "x" if address else ""
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            groups = [f"{int(group, 16):x}" for group in parsed.exploded.split(":")[:3]]
            return ":".join(groups) + "::x"
        parsed = parsed.ipv4_mapped
    return str(parsed).rpartition(".")[0] + ".x"


def mask_text(text: str) -> str:
    """Masks e-mail and network addresses inside free text; the rest stays."""
    masked = _EMAIL.sub(lambda found: mask_email(found.group()), text)
    masked = _IPV4.sub(lambda found: mask_ip(found.group()), masked)
    return _IPV6.sub(_mask_if_address, masked)


def _mask_if_address(found: "re.Match[str]") -> str:
    """A clock time such as 10:20:30 also has colons; only what parses is an address."""
    try:
        ipaddress.ip_address(found.group())
    except ValueError:
        return found.group()
    return mask_ip(found.group())


def mask_json(value: Any) -> Any:
    """Masks a JSON value (metadata, before, after) recursively: by key, and addresses inside strings."""
    if isinstance(value, dict):
        return {mask_text(str(key)): _mask_member(str(key), member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [mask_json(item) for item in value]
    return mask_text(value) if isinstance(value, str) else value


def _mask_member(key: str, value: Any) -> Any:
    plain = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", key).lower().replace("-", "_")
    if isinstance(value, list | tuple):
        return [_mask_member(key, item) for item in value]
    if not isinstance(value, str):
        return mask_json(value)
    if plain in _EMAIL_KEYS:
        return mask_email(value) if "@" in value else mask_name(value)
    if plain in _NAME_KEYS:
        return mask_email(value) if "@" in value else mask_name(value)
    if plain in _ADDRESS_KEYS:
        return mask_ip(value)
    if plain in _HIDDEN_KEYS:
        return "***" if value else value
    return mask_text(value)
