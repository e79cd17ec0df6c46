"""apps.core.parsing: what gets through can be stored, and nothing makes it fall over."""

import contextlib
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import Kind
from apps.core.parsing import BodyTooLarge, MalformedJson, parse_json

# Text that UTF-8 and PostgreSQL can hold.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**37), 10**37)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(value=VALUES, ascii_=st.booleans(), indent=st.sampled_from([None, 2]))
def test_every_storable_value_is_read_as_it_was_written(
    value: object, ascii_: bool, indent: int | None
) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=ascii_, indent=indent).encode()) == value


@given(body=st.binary(max_size=200) | st.text('[]{}",:\\u0dD8e9+-1 nulltrefas', max_size=80).map(str.encode))
def test_any_bytes_are_read_or_refused_with_a_sentence(body: bytes) -> None:
    refused = None
    try:
        parse_json(body)
    except MalformedJson as error:
        refused = error
    if refused is not None:
        assert refused.kind is Kind.INVALID
        assert refused.message.endswith(".")
        refused.message.encode()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not valid JSON"),
        (b"  ", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"{'a': 1}", "not valid JSON"),
        (b"[1,]", "not valid JSON"),
        (b"1 2", "not valid JSON"),
        (b'"\x01"', "not valid JSON"),
        (b'"\x00"', "not valid JSON"),
        (b"01", "not valid JSON"),
        (b'{"a": 1, "a": 2}', 'key "a" stands twice'),
        (b'[{"x": {"b": 1, "b": 1}}]', 'key "b" stands twice'),
        (b'{"a": 1, "\\u0061": 2}', 'key "a" stands twice'),
        (b'"\\u0000"', "NUL"),
        (b'{"a\\u0000": 1}', "NUL"),
        (b'"\\ud800"', "surrogate"),
        (b'"\\udc00\\ud800"', "surrogate"),
        (b'{"\\uDFFF": 1}', "surrogate"),
        (b"NaN", "NaN"),
        (b"[Infinity]", "Infinity"),
        (b"-Infinity", "-Infinity"),
        (b"1e400", "too large"),
        (b"-1e999", "too large"),
        (b"1" + b"0" * 400, "more than 38 digits"),
        (b"9" * 39, "more than 38 digits"),
        (b"[" * 65 + b"]" * 65, "deeper than 64"),
        (b"[" * 100_000, "deeper than 64"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "deeper than 64"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        (b'"\xc0\x80"', "not UTF-8"),
    ],
)
def test_what_can_not_be_kept_is_refused_and_named(body: bytes, words: str) -> None:
    with pytest.raises(MalformedJson) as refused:
        parse_json(body)
    assert words in refused.value.message


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"9" * 38, int("9" * 38)),
        (b"-" + b"9" * 38, -int("9" * 38)),
        (b"1e308", 1e308),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"\\\\u0000"', "\\u0000"),
        (b"[" * 64 + b"]" * 64, None),
        (b'["' + b"[" * 100 + b'"]', ["[" * 100]),
        (b'["\\"[' + b"[" * 100 + b'"]', ['"[' + "[" * 100]),
    ],
)
def test_what_looks_like_trouble_and_is_none_is_read(body: bytes, value: object) -> None:
    read = parse_json(body)
    if value is not None:
        assert read == value


def test_a_fault_is_placed_by_line_and_column() -> None:
    with pytest.raises(MalformedJson) as refused:
        parse_json(b'{\n  "a": 1,\n  "b": \\u0000\n}')
    assert refused.value.details == {"position": 19, "line": 3, "column": 8}
    assert refused.value.message.endswith("(line 3, column 8).")


def test_more_bytes_than_allowed_are_too_large_before_anything_is_read() -> None:
    assert parse_json(b"[1]", max_bytes=3) == [1]
    with pytest.raises(BodyTooLarge) as refused:
        parse_json(b"[1] ", max_bytes=3)
    assert refused.value.kind is Kind.TOO_LARGE


@pytest.mark.parametrize(
    "body",
    [
        b'"' + b"\\" * 1_000_000,
        b'"' + b'\\"' * 500_000,
        b"[" + b'"\\u0000",' * 100_000 + b"1]",
        b"[" + b"[]," * 340_000 + b"1]",
        b"{" + b'"a":{},' * 140_000 + b'"b":1}',
    ],
)
def test_a_hostile_body_takes_no_longer_than_its_size(body: bytes) -> None:
    started = time.process_time()
    with contextlib.suppress(MalformedJson):
        parse_json(body)
    assert time.process_time() - started < 2
