"""apps.identity.verification with the embedded issuer: genuine tokens in force, and nothing else."""

import time
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
import time_machine
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import OperationalError
from joserfc.jwk import RSAKey

from apps.core.clock import now
from apps.core.principal import system
from apps.identity import verification
from apps.identity.errors import TokenRefused
from apps.identity.models import SigningKey
from apps.identity.services import issue_token, withdraw_signing_keys
from apps.identity.trust import embedded_keys
from apps.identity.verification import verify
from tests.identity import forge

pytestmark = pytest.mark.django_db


def refused(text: str) -> str:
    with pytest.raises(TokenRefused) as caught:
        verify(text)
    assert caught.value.message == "The token is not valid."
    return caught.value.reason


def test_own_token_is_taken() -> None:
    found = verify(forge.own_token(sub="svc-7", scope="a SUPER_ADMIN", sid="s-1"))
    assert (found.subject, found.platform, found.own, found.session) == ("svc-7", True, True, "s-1")
    assert found.rights == {"a", "SUPER_ADMIN", "superadmin"}


def test_session_of_a_token_without_sid_is_its_jti() -> None:
    assert verify(forge.own_token(jti="tok-9")).session == "tok-9"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"exp": 1}, "expired"),
        ({"iat": 2**34}, "not_yet"),
        ({"nbf": 2**34}, "not_yet"),
        ({"aud": "somebody-else"}, "audience"),
        ({"aud": None}, "claim_aud"),
        ({"iss": "https://evil.example"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"iss": ["http://127.0.0.1:8000"]}, "issuer"),
        ({"iss": "http://127.0.0.1:8000/"}, "issuer"),
        ({"sub": None}, "claim_sub"),
        ({"exp": None}, "claim_exp"),
        ({"iat": None}, "claim_iat"),
    ],
)
def test_own_token_with_wrong_claims_is_refused(changed: dict[str, Any], reason: str) -> None:
    assert refused(forge.own_token(**changed)) == reason


def test_unsigned_token_is_refused() -> None:
    row, _ = forge.own_key()
    body = forge.own_token().split(".")[1]
    head = forge.b64(f'{{"alg":"none","kid":"{row.kid}"}}'.encode())
    assert refused(f"{head}.{body}.") == "algorithm"
    assert refused(f"{head}.{body}.AAAA") == "algorithm"


@pytest.mark.parametrize("form", ["pem", "der", "jwk_n"])
def test_hmac_with_the_public_key_is_refused(form: str) -> None:
    row, key = forge.own_key()
    public = key.public_key
    secret = {
        "pem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "jwk_n": str(row.public_jwk["n"]).encode(),
    }[form]
    body = forge.own_token().split(".")[1]
    for algorithm in ("HS256", "RS256"):
        head = forge.b64(f'{{"alg":"{algorithm}","kid":"{row.kid}"}}'.encode())
        mac = forge.b64(forge.hs256(secret, f"{head}.{body}".encode()))
        assert refused(f"{head}.{body}.{mac}") in {"algorithm", "signature"}


def test_signature_of_another_key_is_refused() -> None:
    row, _ = forge.own_key()
    assert (
        refused(forge.token(forge.STRANGER, {"alg": "RS256", "kid": row.kid}, forge.claims())) == "signature"
    )


def test_unknown_kid_is_refused() -> None:
    forge.own_key()
    for kid in ("unknown", "../../etc/passwd", "' OR 1=1", "\u202e"):
        assert (
            refused(forge.token(forge.STRANGER, {"alg": "RS256", "kid": kid}, forge.claims()))
            == "unknown_key"
        )


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
def test_key_that_the_token_brings_itself_does_not_count(name: str) -> None:
    row, _ = forge.own_key()
    brought = {
        "jwk": forge.public_jwk(forge.STRANGER, row.kid),
        "jku": "https://evil.example/jwks.json",
        "x5u": "https://evil.example/cert.pem",
        "x5c": ["AAAA"],
    }[name]
    header = {"alg": "RS256", "kid": row.kid, name: brought}
    assert refused(forge.token(forge.STRANGER, header, forge.claims())) == "signature"
    # Beside a good signature it is ignored.
    assert verify(forge.own_token(header={name: brought})).subject == "svc-1"


@pytest.mark.parametrize("part", [0, 1, 2])
def test_one_changed_character_is_refused(part: int) -> None:
    parts = forge.own_token().split(".")
    at = len(parts[part]) // 2
    old = parts[part][at]
    parts[part] = parts[part][:at] + ("A" if old != "A" else "B") + parts[part][at + 1 :]
    refused(".".join(parts))


def test_duplicate_claim_under_a_good_signature_is_refused() -> None:
    row, key = forge.own_key()
    body = b'{"sub":"a","sub":"b"}'
    assert refused(forge.token(key, {"alg": "RS256", "kid": row.kid}, body)) == "json"


def test_token_of_another_issuer_under_our_key_is_refused() -> None:
    assert refused(forge.own_token(iss="https://kc.example/realms/acme")) == "issuer"


def test_remembered_token_is_not_verified_again_and_ends_at_its_time() -> None:
    text = forge.own_token(exp=int(time.time()) + 5)
    with mock.patch.object(verification, "_RS256", wraps=verification._RS256) as algorithm:
        first = verify(text)
        assert verify(text) is first
        assert algorithm.verify.call_count == 1
        with time_machine.travel(now() + timedelta(seconds=6), tick=False):
            assert refused(text) == "expired"


def test_remembered_token_falls_with_its_key() -> None:
    text = forge.own_token()
    verify(text)
    withdraw_signing_keys(actor=system("test"), reason="leaked")
    # Within this process as after the announcement that the write sends at its commit.
    embedded_keys.forget()
    assert refused(text) == "unknown_key"
    assert verify(issue_token(actor=system("test"), subject="svc-1").text).subject == "svc-1"


def test_key_past_its_publication_verifies_nothing() -> None:
    text = forge.own_token()
    assert verify(text).subject == "svc-1"
    SigningKey.objects.update(signs_until=now(), published_until=now())
    embedded_keys.forget()
    assert refused(text) == "unknown_key"


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    small = verification._Remembered(3)
    monkeypatch.setattr(verification, "_remembered", small)
    for number in range(5):
        verify(forge.own_token(jti=f"tok-{number}"))
    assert len(small._known) == 3


def test_keys_that_were_read_serve_on_while_the_database_is_away() -> None:
    text = forge.own_token()
    verify(text)
    embedded_keys.forget()
    with mock.patch("apps.identity.keys.published_keys", side_effect=OperationalError):
        assert verify(text).subject == "svc-1"
        assert (
            refused(forge.token(forge.STRANGER, {"alg": "RS256", "kid": "x"}, forge.claims()))
            == "unknown_key"
        )


def test_issued_at_of_our_own_tokens_is_exact_to_the_microsecond() -> None:
    instant = int(time.time())
    assert (
        verify(forge.own_token(iat=instant, iat_us=instant * 1_000_000 + 437_001)).issued_at.microsecond
        == 437_001
    )


@pytest.mark.parametrize("exact", [0, 10**20, -5, "x", 1.5, True, None])
def test_microseconds_that_do_not_fit_iat_do_not_count(exact: object) -> None:
    assert verify(forge.own_token(iat_us=exact)).issued_at.microsecond == 0


def test_key_size_of_new_keys_is_2048() -> None:
    row, _ = forge.own_key()
    assert RSAKey.import_key(row.public_jwk).public_key.key_size == 2048
