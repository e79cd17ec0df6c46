"""apps.identity.jwks: which published keys may verify a token."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, RSAKey

from apps.identity import jwks
from tests.identity.forge import OTHER, STRANGER, public_jwk

LEAST = 2048


def keys_of(*entries: Any) -> set[str]:
    return set(jwks.parse_set(json.dumps({"keys": list(entries)}).encode()))


def test_rsa_key_for_signatures_is_taken() -> None:
    assert keys_of(public_jwk(STRANGER, "a"), public_jwk(OTHER, "b", key_ops=["verify"])) == {"a", "b"}


def test_key_that_says_little_is_taken() -> None:
    bare = {
        name: value for name, value in public_jwk(STRANGER, "a").items() if name in {"kty", "n", "e", "kid"}
    }
    assert keys_of(bare) == {"a"}


@pytest.mark.parametrize(
    "changed",
    [
        {"use": "enc"},
        {"use": None},
        {"alg": "RS512"},
        {"alg": "PS256"},
        {"key_ops": ["encrypt"]},
        {"key_ops": []},
        {"key_ops": "verify"},
        {"kty": "EC"},
        {"kid": ""},
        {"kid": None},
        {"kid": 5},
        {"n": "!!"},
        {"n": 7},
        {"e": "AQ"},
        {"e": ""},
    ],
)
def test_key_for_something_else_is_passed_over(changed: dict[str, Any]) -> None:
    assert keys_of({**public_jwk(STRANGER, "a"), **changed}) == set()


def test_key_without_kid_is_passed_over() -> None:
    entry = public_jwk(STRANGER, "a")
    del entry["kid"]
    assert keys_of(entry) == set()


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_short_key_is_passed_over() -> None:
    short = RSAKey.import_key(rsa.generate_private_key(public_exponent=65537, key_size=LEAST // 2))
    assert keys_of(public_jwk(short, "a")) == set()


def test_private_key_that_was_published_is_passed_over() -> None:
    assert keys_of({**STRANGER.as_dict(private=True), "kid": "a"}) == set()


def test_secrets_and_curves_are_passed_over() -> None:
    secret = {**OctKey.generate_key(256).as_dict(private=True), "kid": "a"}
    curve = {**ECKey.generate_key("P-256").as_dict(private=False), "kid": "b"}
    assert keys_of(secret, curve, public_jwk(OTHER, "c")) == {"c"}


def test_name_that_stands_twice_is_nobodys() -> None:
    assert keys_of(public_jwk(STRANGER, "a"), public_jwk(OTHER, "a"), public_jwk(OTHER, "b")) == {"b"}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"keys":{}}', b'{"keys":null}', b"<html>", b'{"keys":[],"keys":[]}']
)
def test_what_is_no_set_is_refused(body: bytes) -> None:
    with pytest.raises(jwks.SetUnusable):
        jwks.parse_set(body)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["kty", "kid", "n", "e", "use", "alg", "key_ops", "d"]),
            st.none()
            | st.integers()
            | st.text(max_size=6)
            | st.just("RSA")
            | st.lists(st.text(max_size=3), max_size=2),
        )
        | st.none()
        | st.text(max_size=3),
        max_size=4,
    )
)
def test_any_entries_are_passed_over_and_never_an_error(entries: list[Any]) -> None:
    try:
        assert keys_of(*entries) == set()
    except jwks.SetUnusable:
        return  # NUL and half surrogate pairs are no JSON of ours.
