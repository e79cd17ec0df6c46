"""The one strict JSON parser of all surfaces: what gets through can be stored, hashed and written out again.

Stricter than RFC 8259 where it leaves things open (I-JSON, RFC 7493): UTF-8 without a byte order mark, no NUL and
no lone surrogate in strings or keys (PostgreSQL can't store them), no key twice, no Infinity or NaN, no number that
overflows a double, whole numbers of at most 38 digits (what a numeric(38) column holds), depth at most 64.
"""

import json
import math
import re
from typing import Any, NoReturn

from apps.core.errors import Invalid, TooLarge

MAX_BYTES = 1_048_576
MAX_DEPTH = 64
MAX_DIGITS = 38

# A whole string (the closing quote may be missing), or a bracket outside of strings. Possessive: linear time.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_BETWEEN = re.compile(r"[^\[\]{}]+")
_SUSPICIOUS = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class MalformedJson(Invalid):
    """`details`: `position` (characters from the start), `line` and `column` (from 1) where they are known."""

    code = "MALFORMED_JSON"
    message = "The body is not valid JSON."


class BodyTooLarge(TooLarge):
    message = "The body is too large."


def parse_json(body: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> object:
    """The value that `body` holds.

    Raises:
        MalformedJson: not JSON, or against one of the rules of this module.
        BodyTooLarge: more than `max_bytes`.
    """
    if len(body) > max_bytes:
        raise BodyTooLarge(f"The body has {len(body)} bytes; at most {max_bytes} are taken.")
    text = _decoded(body)
    _check_depth(text, max_depth)
    try:
        value: object = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
            parse_int=_int,
        )
    except json.JSONDecodeError as wrong:
        _refuse(text, wrong.pos, f"The body is not valid JSON: {wrong.msg[:1].lower()}{wrong.msg[1:]}")
    if _SUSPICIOUS.search(text):
        _check_strings(text)
    return value


def _decoded(body: bytes) -> str:
    if body.startswith(b"\xef\xbb\xbf"):
        raise MalformedJson(
            "The body starts with a byte order mark; send plain UTF-8.", details={"position": 0}
        )
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as wrong:
        raise MalformedJson(
            f"The body is not UTF-8 at byte {wrong.start}.", details={"position": wrong.start}
        ) from None


def _check_depth(text: str, max_depth: int) -> None:
    if text.count("[") + text.count("{") <= max_depth:
        return
    depth = 0
    for bracket in _BETWEEN.sub("", _STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > max_depth:
            _refuse(text, _place_of_depth(text, depth), f"The body nests deeper than {max_depth} levels")


def _place_of_depth(text: str, wanted: int) -> int:
    depth = 0
    for token in _TOKEN.finditer(text):
        if (first := token.group()[0]) != '"':
            depth += 1 if first in "[{" else -1
            if depth == wanted:
                return token.start()
    return len(text)


def _check_strings(text: str) -> None:
    for token in _STRING.finditer(text):
        if not _SUSPICIOUS.search(token.group()):
            continue
        content = json.loads(token.group())
        if "\x00" in content:
            _refuse(text, token.start(), "A string holds a NUL character")
        if _SURROGATE.search(content):
            _refuse(text, token.start(), "A string holds half of a surrogate pair")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                shown = key[:64].encode("ascii", "backslashreplace").decode()
                raise MalformedJson(f'The key "{shown}" stands twice in one object.')
            seen.add(key)
    return found


def _constant(name: str) -> NoReturn:
    raise MalformedJson(f"{name} is not a JSON number.")


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise MalformedJson(f"The number {text[:32]} is too large.")
    return value


def _int(text: str) -> int:
    if len(text.lstrip("-")) > MAX_DIGITS:
        raise MalformedJson(f"The number {text[:32]}… has more than {MAX_DIGITS} digits.")
    return int(text)


def _refuse(text: str, position: int, sentence: str) -> NoReturn:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    raise MalformedJson(
        f"{sentence} (line {line}, column {column}).",
        details={"position": position, "line": line, "column": column},
    )
