"""Cursors: where a page ended, signed; good for the list that they were given for and for no other."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.utils.crypto import salted_hmac

from apps.core.errors import Invalid

_HEAD = "cur_"
_LONGEST = 2000
_SIGNATURE = 16


class CursorInvalid(Invalid):
    """It was not given out by us, or for another list, filter or order."""

    code = "CURSOR_INVALID"
    message = "The cursor is not one of this list."

    def __init__(self) -> None:
        super().__init__(details={"cursor": [self.message]})


def written(values: Sequence[Any], *, listing: str) -> str:
    """The cursor behind a row with these values in the columns that the list is ordered by."""
    body = orjson.dumps([_tagged(value) for value in values])
    whole = _signature(body, listing) + body
    return _HEAD + base64.urlsafe_b64encode(whole).rstrip(b"=").decode()


def read(text: str, *, listing: str) -> list[Any]:
    """The values behind a cursor.

    Raises:
        CursorInvalid: see there.
    """
    if not text.startswith(_HEAD) or len(text) > _LONGEST:
        raise CursorInvalid
    coded = text.removeprefix(_HEAD)
    try:
        whole = base64.b64decode(coded + "=" * (-len(coded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise CursorInvalid from None
    signature, body = whole[:_SIGNATURE], whole[_SIGNATURE:]
    if not hmac.compare_digest(signature, _signature(body, listing)):
        raise CursorInvalid
    return [_untagged(*each) for each in orjson.loads(body)]


def _signature(body: bytes, listing: str) -> bytes:
    # The listing's length stands before it, so that nothing can move from the one part into the other.
    named = listing.encode("utf-8", "replace")
    message = len(named).to_bytes(4, "big") + named + body
    return salted_hmac("apps.surfaces.cursor", message, algorithm="sha256").digest()[:_SIGNATURE]


def _tagged(value: Any) -> tuple[str, Any]:
    """JSON that keeps the type; an instant to the microsecond."""
    if isinstance(value, datetime):
        return "t", value.isoformat()
    if isinstance(value, UUID):
        return "u", value.hex
    if isinstance(value, Decimal):
        return "d", str(value)
    return "j", value


def _untagged(tag: str, value: Any) -> Any:
    match tag:
        case "t":
            return datetime.fromisoformat(value)
        case "u":
            return UUID(value)
        case "d":
            return Decimal(value)
        case _:
            return value
