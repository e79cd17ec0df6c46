"""Canonical bytes: what the hashes of the trail are taken over."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)


def canonical(value: Any) -> str:
    """JSON with sorted keys, no spaces, and instants in UTC with microseconds."""
    return _ENCODER.encode(value)


def commitment(salt: bytes, body: str) -> bytes:
    """SHA-256(salt + body): says nothing of the body without the salt, and fixes it."""
    return hashlib.sha256(salt + body.encode()).digest()


def entry_text(fields: dict[str, Any]) -> str:
    """Canonical text of an entry's own columns: all but chain, seq and the two hashes."""
    return canonical(fields)


def entry_hash(previous: bytes, chain: str, seq: int, text: str) -> bytes:
    """SHA-256(previous hash + chain + NUL + seq as 8 bytes + text): what `audit_append` computes."""
    return hashlib.sha256(previous + chain.encode() + b"\0" + seq.to_bytes(8, "big") + text.encode()).digest()
