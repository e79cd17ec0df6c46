"""Master keys: `k2:<base64 of 32 bytes>,k1:…`, the first one is current. Read by config/env.py too: no Django here."""

import base64
import binascii
import re

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,32}")


class MasterKeysWrong(ValueError):
    """The setting can't be read; the message is a sentence that says what to set, without any key."""


def parse_master_keys(text: str) -> dict[str, bytes]:
    """Key id -> 32 bytes, in the order written.

    Raises:
        MasterKeysWrong: no key, a bad or repeated id, not base64, or not 32 bytes.
    """
    keys: dict[str, bytes] = {}
    for number, entry in enumerate((part.strip() for part in text.split(",")), start=1):
        name, separator, body = entry.partition(":")
        if not separator or not _NAME.fullmatch(name):
            raise MasterKeysWrong(
                f"key {number} must be written id:<base64 of 32 bytes>, the id 1 to 32 letters, digits, . _ or -"
            )
        try:
            key = base64.b64decode(body, validate=True)
        except (binascii.Error, ValueError):
            raise MasterKeysWrong(f"the key {name} is not base64") from None
        if len(key) != 32:
            raise MasterKeysWrong(
                f"the key {name} has {len(key)} bytes and needs 32 (openssl rand -base64 32)"
            )
        if name in keys:
            raise MasterKeysWrong(f"the key {name} is there twice")
        keys[name] = key
    return keys
