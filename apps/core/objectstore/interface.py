"""What a store can do. One suite of tests is run against each engine (tests/core/test_objectstore.py)."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from apps.core.errors import Conflict, Invalid, NotFound, Unavailable

LONGEST_KEY = 1024
CHUNK = 256 * 1024


class ObjectNotFound(NotFound):
    code = "OBJECT_NOT_FOUND"
    message = "There is no such object."


class KeyMalformed(Invalid):
    """1 to 1024 bytes of UTF-8; no leading slash, no `..` between slashes, no control characters."""

    code = "OBJECT_KEY_MALFORMED"
    message = "This is not the key of an object."


class ObjectExists(Conflict):
    """An object that may be written once only stands there already."""

    code = "OBJECT_EXISTS"
    message = "There is such an object already."


class StoreUnavailable(Unavailable):
    """The object store does not answer, is full, or an object in it is damaged."""

    code = "OBJECT_STORE_UNAVAILABLE"
    message = "The object store is away."


@dataclass(frozen=True, slots=True)
class Stat:
    """What is known of an object. `size` in bytes, `sha256` in hex."""

    key: str
    size: int
    sha256: str
    content_type: str
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """An object being read: its facts, and its bytes in chunks."""

    stat: Stat
    chunks: Iterator[bytes]


class ObjectStore(Protocol):
    """Keys to bytes. An object appears whole or not at all; a new one takes the place of the old at once.

    Every method raises StoreUnavailable where the engine is away.
    """

    def put(
        self,
        key: str,
        chunks: Iterable[bytes],
        *,
        content_type: str = "application/octet-stream",
        once: bool = False,
    ) -> Stat:
        """Stores what `chunks` gives; when it returns, the object is there and durable.

        Args:
            once: never in the place of another; of several writers one wins.

        Raises:
            KeyMalformed
            ObjectExists: `once`, and there is one.
            whatever `chunks` raises; nothing is stored then.
        """

    def open(self, key: str, *, start: int = 0, length: int | None = None) -> AbstractContextManager[Opened]:
        """Reads an object, or `length` bytes of it from `start`.

        Raises:
            ObjectNotFound
        """

    def stat(self, key: str) -> Stat:
        """Raises ObjectNotFound."""

    def delete(self, key: str) -> bool:
        """Removes an object; False where there was none."""

    def list(self, prefix: str = "", *, after: str = "", limit: int | None = None) -> Iterator[Stat]:
        """Objects whose key begins with `prefix` and comes after `after`, in the byte order of their keys."""

    def sweep(self) -> int:
        """Removes what writers that died left behind, once it is a day old. Answers how many pieces."""


def checked_key(key: str) -> str:
    """The key.

    Raises:
        KeyMalformed
    """
    try:
        length = len(key.encode())
    except UnicodeEncodeError:
        raise KeyMalformed from None
    if not 1 <= length <= LONGEST_KEY or key.startswith("/") or ".." in key.split("/"):
        raise KeyMalformed
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in key):
        raise KeyMalformed
    return key
