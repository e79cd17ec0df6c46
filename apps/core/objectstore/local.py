"""The embedded store: one file an object, in folders.

A file begins with a head of fixed length (JSON, padded) that says what the body is; a new object is written aside,
synced and renamed, so that a reader or a crash sees the old one or the new one, never a part. Each step of a key is
percent-encoded: no key reaches outside of the root, and an object `a` may stand beside an object `a/b`.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, unquote
from uuid import uuid4

from apps.core.objectstore.interface import (
    CHUNK,
    ObjectExists,
    ObjectNotFound,
    Opened,
    Stat,
    StoreUnavailable,
    checked_key,
)

_MAGIC = b"STWO1 "
_HEAD = 4096
_STEP = 200  # longest part of a file name that is ours to use (file systems allow 255 bytes)
# Marks that percent-encoding never leaves in a name: an object, a step that goes on, a step without letters.
_OBJECT, _GOES_ON, _EMPTY = "=", "+", "@"
_ASIDE = ".aside"
_STALE_SECONDS = 24 * 3600
_ATTEMPTS = 20


class LocalStore:
    """Objects under one folder. Processes of one machine (or of a shared file system) share it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._objects = root / "objects"
        self._aside = root / _ASIDE

    def put(
        self,
        key: str,
        chunks: Iterable[bytes],
        *,
        content_type: str = "application/octet-stream",
        once: bool = False,
    ) -> Stat:
        path = self._path(key)
        if once and path.exists():
            raise ObjectExists
        with _engine():
            self._aside.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = self._aside / uuid4().hex
        try:
            stat = _write(aside, key, chunks, content_type)
            with _engine():
                self._settle(aside, path, once=once)
        finally:
            aside.unlink(missing_ok=True)
        return stat

    def _settle(self, aside: Path, path: Path, *, once: bool) -> None:
        for left in reversed(range(_ATTEMPTS)):
            try:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                if once:
                    # Unlike a rename, a second name is refused where there is a file of that name.
                    path.hardlink_to(aside)
                else:
                    aside.replace(path)
                break
            except (FileNotFoundError, FileExistsError):
                if once and path.is_file():
                    raise ObjectExists from None
                # A delete beside us removed a folder that had just become empty: after mkdir, or inside it (which
                # first finds the folder there and then no longer).
                if not left:
                    raise
        _sync_folders(path.parent, self._root)

    @contextmanager
    def open(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[Opened]:
        with self._file(key) as file:
            stat = _head(file, key)
            file.seek(_HEAD + start)
            yield Opened(stat, _chunks(file, stat.size - start if length is None else length))

    def stat(self, key: str) -> Stat:
        with self._file(key) as file:
            return _head(file, key)

    def delete(self, key: str) -> bool:
        path = self._path(key)
        with _engine():
            try:
                path.unlink()
            except FileNotFoundError:
                return False
            # Folders that nobody needs any longer; one in which something appeared meanwhile stays.
            for folder in path.parents:
                if folder == self._objects:
                    break
                with suppress(OSError):
                    folder.rmdir()
        return True

    def list(self, prefix: str = "", *, after: str = "", limit: int | None = None) -> Iterator[Stat]:
        keys = sorted(
            (key for key in self._keys(prefix) if key.startswith(prefix) and key.encode() > after.encode()),
            key=str.encode,
        )
        given = 0
        for key in keys:
            if limit is not None and given >= limit:
                return
            # Deleted since its name was read.
            with suppress(ObjectNotFound):
                yield self.stat(key)
                given += 1

    def sweep(self) -> int:
        removed = 0
        with _engine():
            for left in self._aside.glob("*"):
                if time.time() - left.stat().st_mtime > _STALE_SECONDS:
                    left.unlink(missing_ok=True)
                    removed += 1
        return removed

    def clear(self) -> None:
        """Removes everything (tests, `make clean`)."""
        shutil.rmtree(self._root, ignore_errors=True)

    def _path(self, key: str) -> Path:
        *folders, last = checked_key(key).split("/")
        path = self._objects
        for step in folders:
            path = path.joinpath(*_pieces(step))
        return path.joinpath(*_pieces(last)[:-1], _pieces(last)[-1] + _OBJECT)

    def _keys(self, prefix: str) -> Iterator[str]:
        """The keys below the deepest folder that the whole prefix lies in."""
        folder, above = self._objects, ""
        for step in prefix.split("/")[:-1]:
            pieces = _pieces(step)
            folder = folder.joinpath(*pieces)
            above += "".join(piece.removesuffix(_GOES_ON) for piece in pieces) + "/"
        with _engine():
            encoded = list(_walk(folder, above))
        yield from map(_decoded, encoded)

    @contextmanager
    def _file(self, key: str) -> Iterator[BinaryIO]:
        path = self._path(key)
        try:
            file = path.open("rb")
        except (FileNotFoundError, NotADirectoryError):
            raise ObjectNotFound from None
        except OSError as failed:
            raise StoreUnavailable from failed
        with file:
            yield file


@contextmanager
def _engine() -> Iterator[None]:
    try:
        yield
    except OSError as failed:
        raise StoreUnavailable(f"The object store refuses: {failed.strerror or failed}.") from failed


def _pieces(step: str) -> list[str]:
    """The file names that stand for one step of a key: `+` ends one that goes on in the folder below it."""
    name = quote(step, safe="") if step else _EMPTY
    if name.strip(".") == "":
        name = name.replace(".", "%2E")
    cut = [name[at : at + _STEP] for at in range(0, len(name), _STEP)]
    return [*(piece + _GOES_ON for piece in cut[:-1]), cut[-1]]


def _walk(folder: Path, above: str) -> Iterator[str]:
    """Encoded keys of all objects below `folder`, whose own encoded key is `above`."""
    try:
        found = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in found:
        if entry.name.endswith(_GOES_ON):
            yield from _walk(Path(entry.path), above + entry.name[:-1])
        elif entry.name.endswith(_OBJECT):
            yield above + entry.name[:-1]
        else:
            yield from _walk(Path(entry.path), f"{above}{entry.name}/")


def _decoded(encoded: str) -> str:
    return "/".join("" if step == _EMPTY else unquote(step) for step in encoded.split("/"))


def _write(path: Path, key: str, chunks: Iterable[bytes], content_type: str) -> Stat:
    digest, size = hashlib.sha256(), 0
    with _engine():
        file = path.open("xb")
    with file:
        file.write(b" " * _HEAD)
        for chunk in chunks:
            with _engine():
                file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        modified = datetime.now(UTC)
        facts = {
            "key": key,
            "size": size,
            "sha256": digest.hexdigest(),
            "content_type": content_type[:200],
            "modified_at": modified.isoformat(),
        }
        with _engine():
            file.seek(0)
            file.write((_MAGIC + json.dumps(facts, ensure_ascii=False).encode()).ljust(_HEAD))
            file.flush()
            os.fsync(file.fileno())
    return Stat(key, size, digest.hexdigest(), content_type[:200], modified)


def _head(file: BinaryIO, key: str) -> Stat:
    with _engine():
        head = file.read(_HEAD)
        whole = os.fstat(file.fileno()).st_size
    try:
        if not head.startswith(_MAGIC):
            raise ValueError
        facts = json.loads(head.removeprefix(_MAGIC))
        stat = Stat(
            key=facts["key"],
            size=facts["size"],
            sha256=facts["sha256"],
            content_type=facts["content_type"],
            modified_at=datetime.fromisoformat(facts["modified_at"]),
        )
    except (ValueError, KeyError):
        raise StoreUnavailable("An object in the store is damaged.") from None
    if stat.key != key or whole != _HEAD + stat.size:
        raise StoreUnavailable("An object in the store is damaged.")
    return stat


def _chunks(file: BinaryIO, length: int) -> Iterator[bytes]:
    left = length
    while left > 0:
        with _engine():
            chunk = file.read(min(CHUNK, left))
        if not chunk:
            return
        left -= len(chunk)
        yield chunk


def _sync_folders(folder: Path, root: Path) -> None:
    """Makes the new names durable, up to the root."""
    while True:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        if folder in {root, folder.parent}:
            return
        folder = folder.parent
