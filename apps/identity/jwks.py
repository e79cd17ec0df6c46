"""JWK sets: what of a published set may verify a token of ours (RFC 7517)."""

from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from apps.core.errors import DomainError
from apps.core.parsing import parse_json
from apps.identity.compact import ALGORITHM

MAX_BYTES = 262_144
_MAX_KEYS = 100
_LEAST_BITS, _MOST_BITS = 2048, 8192


class SetUnusable(ValueError):
    """This is no JWK set; the sentence says why."""


def parse_set(body: bytes) -> dict[str, RSAKey]:
    """The keys of a set that may verify RS256 signatures, by `kid`; others are passed over.

    A `kid` that stands twice is dropped: nobody can say which key is meant.

    Raises:
        SetUnusable: not a JSON object with a list `keys`.
    """
    try:
        found = parse_json(body, max_bytes=MAX_BYTES, max_depth=8)
    except DomainError as wrong:
        raise SetUnusable(wrong.message) from None
    entries = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(entries, list):
        raise SetUnusable("The set has no list of keys.")
    keys: dict[str, RSAKey] = {}
    twice: set[str] = set()
    for entry in entries[:_MAX_KEYS]:
        key = usable(entry)
        if key is None or key.kid is None:
            continue
        if key.kid in keys:
            twice.add(key.kid)
        keys[key.kid] = key
    return {kid: key for kid, key in keys.items() if kid not in twice}


def usable(entry: Any) -> RSAKey | None:
    """The key, if it is a public RSA key of 2048 to 8192 bits, meant to verify RS256 signatures, with a `kid`."""
    if not isinstance(entry, dict) or entry.get("kty") != "RSA":
        return None
    kid = entry.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= 255:
        return None
    if entry.get("use", "sig") != "sig" or entry.get("alg", ALGORITHM) != ALGORITHM:
        return None
    operations = entry.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return None
    # A private part that was published is everybody's: what it signs proves nothing.
    if "d" in entry:
        return None
    public = {name: entry[name] for name in ("kty", "kid", "n", "e") if name in entry}
    try:
        key = RSAKey.import_key(public)
    except (JoseError, ValueError, TypeError, UnsupportedAlgorithm):
        return None
    numbers = key.public_key.public_numbers()
    if not _LEAST_BITS <= key.public_key.key_size <= _MOST_BITS or numbers.e < 3 or numbers.e > 2**32:
        return None
    return key
