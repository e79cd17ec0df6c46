"""apps.identity.compact: what is not written in the one right way is no token."""

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.identity import compact
from apps.identity.errors import TokenRefused
from tests.identity.forge import b64

HEADER = {"alg": "RS256", "kid": "k1", "typ": "JWT"}
BODY = b'{"sub":"x"}'


def written(header: dict[str, Any] | bytes, body: bytes = BODY, signature: bytes = b"s" * 256) -> str:
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return f"{b64(head)}.{b64(body)}.{b64(signature)}"


def refused(text: str) -> str:
    with pytest.raises(TokenRefused) as caught:
        compact.read(text)
    assert caught.value.message == "The token is not valid."
    return caught.value.reason


def test_good_token_is_taken_apart() -> None:
    text = written(HEADER)
    found = compact.read(text)
    assert (found.kid, found.claims, found.signature) == ("k1", {"sub": "x"}, b"s" * 256)
    assert found.signing_input == text.rpartition(".")[0].encode()


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "application/at+jwt", "AT+JWT"])
def test_type_of_an_access_token_is_taken_in_any_case(kind: str) -> None:
    assert compact.read(written({**HEADER, "typ": kind})).kid == "k1"


def test_header_without_type_is_taken() -> None:
    assert compact.read(written({"alg": "RS256", "kid": "k1"})).kid == "k1"


@pytest.mark.parametrize("name", ["jku", "jwk", "x5u", "x5c", "x5t", "cty", "anything"])
def test_header_that_names_keys_or_is_unknown_is_ignored(name: str) -> None:
    assert compact.read(written({**HEADER, name: "https://evil.example/keys"})).kid == "k1"


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "HS256", "RS384", "PS256", "ES256", "rs256", "", None, 7, ["RS256"]]
)
def test_any_algorithm_but_rs256_is_refused(algorithm: object) -> None:
    assert refused(written({**HEADER, "alg": algorithm})) == "algorithm"


def test_header_without_algorithm_is_refused() -> None:
    assert refused(written({"kid": "k1"})) == "algorithm"


@pytest.mark.parametrize("extra", [{"crit": ["exp"]}, {"crit": []}, {"b64": False}, {"b64": True}])
def test_critical_headers_are_refused(extra: dict[str, Any]) -> None:
    assert refused(written({**HEADER, **extra})) == "critical_header"


@pytest.mark.parametrize("kind", ["JWE", "logout+jwt", "dpop+jwt", "", 5, None])
def test_other_types_are_refused(kind: object) -> None:
    assert refused(written({**HEADER, "typ": kind})) == "type"


@pytest.mark.parametrize("kid", [None, "", 3, ["k1"], "k" * 256])
def test_header_without_a_usable_kid_is_refused(kid: object) -> None:
    assert refused(written({**HEADER, "kid": kid})) == "no_kid"


@pytest.mark.parametrize("text", ["", ".", "a.b", "..", "a.b.c.d", "not a token", "a.b.c.d.e"])
def test_what_has_not_three_parts_is_refused(text: str) -> None:
    assert refused(text) in {"not_compact", "base64"}


@pytest.mark.parametrize("part", [0, 1, 2])
@pytest.mark.parametrize("spoil", ["{}=", "{}==", " {}", "{}\n", "{} ", "+{}", "/{}", "{}é", "\t{}"])
def test_other_spellings_of_base64_are_refused(part: int, spoil: str) -> None:
    parts = written(HEADER).split(".")
    parts[part] = spoil.format(parts[part])
    assert refused(".".join(parts)) in {"base64", "json"}


@pytest.mark.parametrize("part", [0, 1, 2])
def test_unused_bits_that_are_set_are_refused(part: int) -> None:
    """`QQ` and `QR` both decode to `A`: only one of them is canonical (RFC 4648 3.5)."""
    heads = {0: json.dumps({**HEADER, "x": "y"}).encode(), 1: b'{"a":"bcd"}', 2: b"s" * 256}
    while len(heads[part]) % 3 == 0:
        heads[part] = heads[part] + (b" " if part < 2 else b"s")
    parts = [b64(heads[0]), b64(heads[1]), b64(heads[2])]
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    parts[part] = parts[part][:-1] + alphabet[alphabet.index(parts[part][-1]) + 1]
    assert refused(".".join(parts)) == "base64"


@pytest.mark.parametrize(
    "body",
    [
        b'{"sub":"a","sub":"b"}',
        b'{"a":{"b":1,"b":2}}',
        b"[]",
        b'"text"',
        b"7",
        b"null",
        b"{",
        b'{"a":NaN}',
        b'{"exp":1e999}',
        b'{"a":"\\u0000"}',
        b'{"a":"\\ud800"}',
        b"\xef\xbb\xbf{}",
        b"\xff{}",
        b'{"a":' + b"[" * 20 + b"]" * 20 + b"}",
        b'{"exp":' + b"9" * 60 + b"}",
    ],
)
def test_what_is_not_strict_json_is_refused(body: bytes) -> None:
    assert refused(written(HEADER, body=body)) == "json"


def test_header_with_a_key_twice_is_refused() -> None:
    assert refused(written(b'{"alg":"RS256","kid":"k1","alg":"none"}')) == "json"


def test_huge_token_is_refused_unread() -> None:
    assert refused("a" * 8193) == "too_long"
    assert refused(written({**HEADER, "x": "y" * 2100})) == "json"
    assert refused(written(HEADER, signature=b"s" * 1025)) == "signature_too_long"


@given(st.text(max_size=200))
def test_any_text_is_refused_and_never_an_error(text: str) -> None:
    refused(text)


@given(st.binary(max_size=60).map(b64), st.binary(max_size=60).map(b64), st.binary(max_size=60).map(b64))
def test_any_bytes_in_three_parts_are_refused_and_never_an_error(
    head: str, body: str, signature: str
) -> None:
    refused(f"{head}.{body}.{signature}")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=8,
    )
)
def test_any_json_as_header_is_refused_or_read(value: object) -> None:
    refused(written(json.dumps(value).encode()))
