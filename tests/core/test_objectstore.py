"""apps.core.objectstore: what every engine must do."""

import contextlib
import hashlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.objectstore import KeyMalformed, ObjectExists, ObjectNotFound, ObjectStore, StoreUnavailable
from apps.core.objectstore.interface import checked_key
from apps.core.objectstore.local import LocalStore
from tests.core.processes import in_threads


@pytest.fixture(params=["local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return {"local": lambda: LocalStore(tmp_path / "store")}[request.param]()


def read(store: ObjectStore, key: str, **part: int) -> bytes:
    with store.open(key, **part) as found:
        return b"".join(found.chunks)


def keys(store: ObjectStore, prefix: str = "", **options: object) -> list[str]:
    return [stat.key for stat in store.list(prefix, **options)]  # type: ignore[arg-type]  # after, limit


def test_put_and_read_again(store: ObjectStore) -> None:
    body = os.urandom(1_000_000)
    chunks = [body[at : at + 70_000] for at in range(0, len(body), 70_000)]
    stat = store.put("exports/a.csv", chunks, content_type="text/csv")
    assert (stat.size, stat.sha256) == (len(body), hashlib.sha256(body).hexdigest())
    assert store.stat("exports/a.csv") == stat
    assert stat.content_type == "text/csv"
    assert read(store, "exports/a.csv") == body
    assert read(store, "exports/a.csv", start=999_990) == body[-10:]
    assert read(store, "exports/a.csv", start=5, length=7) == body[5:12]
    assert read(store, "exports/a.csv", start=2_000_000) == b""


def test_put_takes_the_place_of_the_old(store: ObjectStore) -> None:
    store.put("a", [b"old, and longer"])
    store.put("a", [b"new"])
    assert read(store, "a") == b"new"
    assert keys(store) == ["a"]


def test_put_once_never_takes_the_place_of_another(store: ObjectStore) -> None:
    store.put("a/b", [b"first"], once=True)
    with pytest.raises(ObjectExists):
        store.put("a/b", [b"second"], once=True)
    assert read(store, "a/b") == b"first"


def test_put_once_by_eight_at_the_same_time_is_done_by_one(store: ObjectStore) -> None:
    won: list[int] = []

    def put(number: int) -> None:
        with contextlib.suppress(ObjectExists):
            store.put("a/b", [b"%d" % number], once=True)
            won.append(number)

    in_threads(8, put)
    assert len(won) == 1
    assert read(store, "a/b") == b"%d" % won[0]


def test_put_that_breaks_off_leaves_the_old_and_nothing_beside(store: ObjectStore, tmp_path: Path) -> None:
    store.put("a", [b"old"])

    def broken() -> Iterator[bytes]:
        yield b"new"
        raise LookupError

    with pytest.raises(LookupError):
        store.put("a", broken())
    assert read(store, "a") == b"old"
    assert sum(path.is_file() for path in tmp_path.rglob("*")) == 1


def test_reader_of_the_old_one_reads_it_to_its_end(store: ObjectStore) -> None:
    store.put("a", [b"1" * 600_000])
    with store.open("a") as found:
        first = next(found.chunks)
        store.put("a", [b"2" * 600_000])
        rest = b"".join(found.chunks)
    assert first + rest == b"1" * 600_000


def test_missing_object(store: ObjectStore) -> None:
    store.put("a/b", [b""])
    for missing in ("b", "a", "a/b/c", "a/"):
        with pytest.raises(ObjectNotFound):
            store.stat(missing)
        with pytest.raises(ObjectNotFound):
            read(store, missing)
        assert store.delete(missing) is False
    assert store.delete("a/b") is True
    assert store.delete("a/b") is False
    assert keys(store) == []


def test_list_is_in_byte_order_by_prefix_and_page(store: ObjectStore) -> None:
    known = [
        "a",
        "a/",
        "a/b",
        "a//b",
        "a/b/c",
        "a-b",
        "a.b",
        "b",
        "ä/ö",
        "x" * 1000,
        "%2E",
        ".",
        "…/.",
        "A",
        "a b+c=@",
    ]
    for key in known:
        store.put(key, [key.encode()])
    ordered = sorted(known, key=str.encode)
    assert keys(store) == ordered
    assert all(read(store, key) == key.encode() for key in known)
    assert keys(store, "a/") == [key for key in ordered if key.startswith("a/")]
    assert keys(store, "a") == [key for key in ordered if key.startswith("a")]
    assert keys(store, "nobody/") == []
    assert keys(store, "../") == []
    paged: list[str] = []
    while page := keys(store, after=paged[-1] if paged else "", limit=4):
        paged += page
    assert paged == ordered


@pytest.mark.parametrize(
    "key", ["", "/a", "..", "../a", "a/../b", "a/..", "a\x00", "a\nb", "x" * 1025, "\ud800"]
)
def test_malformed_key_is_refused(store: ObjectStore, key: str) -> None:
    with pytest.raises(KeyMalformed):
        store.put(key, [b""])
    with pytest.raises(KeyMalformed):
        store.stat(key)


@given(key=st.text(min_size=1, max_size=60))
def test_any_key_stays_inside_of_the_root(key: str) -> None:
    try:
        checked_key(key)
    except KeyMalformed:
        return
    root = Path("/nowhere/steward-keys")
    path = LocalStore(root)._path(key)
    assert os.path.normpath(path) == str(path)
    assert path.is_relative_to(root / "objects")
    assert all(len(part) < 255 for part in path.parts)


def test_eight_writers_and_removers_of_one_folder_do_not_break_each_other(store: ObjectStore) -> None:
    def work(place: int) -> None:
        for number in range(40):
            store.put(f"deep/er/{place}", [str(number).encode()])
            store.delete(f"deep/er/{place}")

    assert in_threads(8, work) == [None] * 8
    assert keys(store) == []


def test_damaged_object_is_not_handed_out(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put("a", [b"whole"])
    [file] = [path for path in tmp_path.rglob("*") if path.is_file()]
    whole = file.read_bytes()
    for damaged in (whole[:-1], b"x" + whole[1:], whole[:100]):
        file.write_bytes(damaged)
        with pytest.raises(StoreUnavailable):
            store.stat("a")


def test_root_that_can_not_be_written_is_a_store_that_is_away(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreUnavailable):
        LocalStore(tmp_path / "file").put("a", [b""])


def test_what_dead_writers_left_is_swept_after_a_day(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put("a", [b"1"])
    for age, name in ((0, "new"), (90_000, "old")):
        left = tmp_path / ".aside" / name
        left.write_bytes(b"part")
        stamp = left.stat().st_mtime - age
        os.utime(left, (stamp, stamp))
    assert store.sweep() == 1
    assert [path.name for path in (tmp_path / ".aside").iterdir()] == ["new"]
    assert list(itertools.islice(keys(store), 2)) == ["a"]
