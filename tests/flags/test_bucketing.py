"""The hashes against what their owners publish."""

import hashlib
from typing import Any

import pytest

from apps.flags.engine.bucketing import bucketers, hashable


@pytest.mark.parametrize(
    ("salt", "value", "fraction"),
    [
        ("hashKey.saltyA", "userKeyA", 0.42157587),
        ("hashKey.saltyA", "userKeyB", 0.6708485),
        ("hashKey.saltyA", "userKeyC", 0.10343106),
        ("61", "userKeyA", 0.09801207),
        ("61", "userKeyB", 0.14483777),
        ("61", "userKeyC", 0.9242641),
    ],
)
def test_launchdarkly_places_as_its_sdks_do(salt: str, value: str, fraction: float) -> None:
    assert bucketers["launchdarkly"](salt, value) == int(fraction * 100_000)


@pytest.mark.parametrize(("salt", "value", "number"), [("gr1", "123", 73), ("groupX", "999", 25)])
def test_unleash_places_as_its_clients_do(salt: str, value: str, number: int) -> None:
    # In where number <= percentage, so just outside of one percent less.
    assert bucketers["unleash"](salt, value) == (number - 1) * 1_000


@pytest.mark.parametrize(
    ("salt", "value", "one", "two"),
    [
        ("", "a", 0.22, 0.0216),
        ("", "b", 0.077, 0.9054),
        ("b", "a", 0.946, 0.665),
        ("ef", "d", 0.652, 0.8601),
        ("asdf", "8952klfjas09ujk", 0.549, 0.8546),
    ],
)
def test_growthbook_places_as_its_sdks_do(salt: str, value: str, one: float, two: float) -> None:
    assert bucketers["growthbook-v1"](salt, value) == round(one * 100_000)
    assert bucketers["growthbook-v2"](salt, value) == round(two * 100_000)


def test_flagsmith_places_by_md5_of_both_ids() -> None:
    for n in range(200):
        number = int(hashlib.md5(f"12,{n}".encode()).hexdigest(), 16) % 9_999  # noqa: S324  as there
        percentage = number / 9_998 * 100
        if number != 9_998:
            assert abs(bucketers["flagsmith"]("12", str(n)) / 1_000 - percentage) < 0.001


def test_every_bucket_lies_in_the_range() -> None:
    for name, bucketer in bucketers.items():
        for n in range(2_000):
            assert 0 <= bucketer("salt", f"{n}") < 100_000, name


def test_what_can_be_hashed_is_text_and_whole_numbers() -> None:
    assert [hashable(each) for each in ("u", 7, 7.0, -1)] == ["u", "7", "7", "-1"]
    strange: list[Any] = [None, True, 0.5, [], {}, float("nan"), float("inf"), 1e300]
    assert [hashable(each) for each in strange] == [None] * 8
    assert [hashable("u" * length) for length in (2_048, 2_049)] == ["u" * 2_048, None]
