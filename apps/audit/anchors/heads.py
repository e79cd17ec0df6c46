"""Files of heads: lines `chain seq hash`, sorted by chain, compressed with gzip."""

import gzip
import heapq
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import chain as joined
from tempfile import TemporaryFile
from typing import IO, NamedTuple

from apps.audit.anchors.merkle import Tree
from apps.audit.errors import AnchorDamaged
from apps.audit.reading import Reader
from apps.core.objectstore import store
from apps.core.objectstore.interface import CHUNK

CONTENT_TYPE = "application/gzip"


class Head(NamedTuple):
    """The last row of a chain."""

    chain: str
    seq: int
    hash: bytes

    def line(self) -> bytes:
        return b"%s %d %s\n" % (self.chain.encode(), self.seq, self.hash.hex().encode())


def database_heads(reader: Reader) -> Iterator[Head]:
    """The heads as the database has them, in the order of the files."""
    for name, seq, own in reader.stream('SELECT chain, seq, hash FROM audit_head ORDER BY chain COLLATE "C"'):
        yield Head(name, seq, bytes(own))


class HeadsFile:
    """A file of heads in the making: aside until it is whole."""

    def __init__(self) -> None:
        self._file: IO[bytes] = TemporaryFile()  # noqa: SIM115  closed by `put` or with the object
        # Without a time in its head, equal lines make equal files.
        self._packed = gzip.GzipFile(fileobj=self._file, mode="wb", mtime=0, compresslevel=6)
        self._tree = Tree()

    def add(self, head: Head) -> None:
        line = head.line()
        self._packed.write(line)
        self._tree.add(line)

    @property
    def count(self) -> int:
        return self._tree.count

    def root(self) -> str:
        return self._tree.root()

    def put(self, key: str) -> None:
        """Stores it.

        Raises:
            ObjectExists, StoreUnavailable
        """
        self._packed.close()
        self._file.seek(0)
        with self._file:
            store().put(key, iter(lambda: self._file.read(CHUNK), b""), content_type=CONTENT_TYPE, once=True)


def read_heads(key: str) -> Iterator[Head]:
    """The lines of a stored file, as they are needed.

    Raises:
        ObjectNotFound, StoreUnavailable
        AnchorDamaged: it is no such file, or its lines are not sorted.
    """
    last = ""
    with store().open(key) as opened:
        for line in _lines(opened.chunks, key):
            found = _parsed(line, key)
            if found.chain <= last:
                raise AnchorDamaged(f"{key} is not sorted.")
            last = found.chain
            yield found


def _lines(chunks: Iterable[bytes], key: str) -> Iterator[bytes]:
    unpack, rest = zlib.decompressobj(wbits=31), b""
    try:
        for chunk in joined(chunks, [b""]):
            text = rest + (unpack.decompress(chunk) if chunk else unpack.flush())
            *lines, rest = text.split(b"\n")
            yield from lines
    except zlib.error as wrong:
        raise AnchorDamaged(f"{key} can't be unpacked.") from wrong
    if rest or not unpack.eof:
        raise AnchorDamaged(f"{key} was cut short.")


def _parsed(line: bytes, key: str) -> Head:
    try:
        name, seq, own = line.decode("ascii").split(" ")
        return Head(name, int(seq), bytes.fromhex(own))
    except ValueError as wrong:
        raise AnchorDamaged(f"{key} has a line that is none of a head.") from wrong


def newest_of(keys: Iterable[str]) -> Iterator[Head]:
    """Of several files, oldest first, each chain's line in the newest file that has it; sorted by chain.

    Raises:
        as `read_heads`.
    """
    with ExitStack() as opened:
        numbered = []
        for age, key in enumerate(keys):
            lines = read_heads(key)
            opened.callback(lines.close)  # type: ignore[attr-defined]  # a generator, declared as what it gives
            numbered.append(_numbered(lines, -age))
        last = ""
        for name, _age, head in heapq.merge(*numbered):
            if name != last:
                last = name
                yield head


def _numbered(lines: Iterator[Head], age: int) -> Iterator[tuple[str, int, Head]]:
    for head in lines:
        yield head.chain, age, head
