"""Identifiers: UUIDv7 in the database, `prefix_` + ULID outside (the same 128 bits)."""

from uuid import UUID

from ulid import ULID
from uuid_utils.compat import uuid7

from apps.core.errors import Invalid

USER = "usr"
TENANT = "tnt"
WORKSPACE = "wks"
PLAN = "pln"
JOB = "job"
EVENT = "evt"
AUDIT = "aud"

# Read, never written: other spellings that callers hold from before.
_ALIASES = {"tn": TENANT, "ten": TENANT}


_LETTERS = "0-9A-HJKMNP-TV-Za-hjkmnp-tv-z"


def pattern(prefix: str) -> str:
    """What `parse` reads, as a regular expression (ECMA 262, anchored): for OpenAPI."""
    heads = "|".join([prefix, *(alias for alias, meant in _ALIASES.items() if meant == prefix)])
    return f"^({heads})_[0-7][{_LETTERS}]{{25}}$"


class MalformedId(Invalid):
    code = "MALFORMED_ID"
    message = "This is not an id."


def new_id() -> UUID:
    """A UUIDv7: unique, and ordered by the time it was made."""
    return UUID(bytes=uuid7().bytes)


def public(prefix: str, value: UUID) -> str:
    """`public("usr", uuid)` -> `usr_01J…` (26 characters of Crockford base 32)."""
    return f"{prefix}_{ULID(value.bytes)}"


def parse(prefix: str, text: str) -> UUID:
    """The UUID behind a public id.

    Raises:
        MalformedId: another prefix (`tn_` and `ten_` count as `tnt_`), or no ULID behind it.
    """
    head, _, body = text.partition("_")
    if _ALIASES.get(head, head) != prefix or len(body) != 26:
        raise MalformedId(f"An id here is written {prefix}_ and 26 characters.")
    try:
        return UUID(bytes=ULID.from_str(body.upper()).bytes)
    except ValueError as wrong:
        raise MalformedId(f"An id here is written {prefix}_ and 26 characters.") from wrong


def parse_or_none(prefix: str, text: str) -> UUID | None:
    """As `parse`, but None for what is not an id: for searches, and for routes whose answer is then 404."""
    try:
        return parse(prefix, text)
    except MalformedId:
        return None
