"""apps.core.sealing.signatures: only the same bytes, for the same purpose, under a known key."""

import base64
from io import StringIO

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.management import call_command
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pytest_django import Settings

from apps.core.sealing import Signature, SignaturePurpose, SignatureWrong, public_keys, sign, verify

RECEIPT, LEDGER = SignaturePurpose.PURGE_RECEIPT, SignaturePurpose.ERASURE_LEDGER


def _key(number: int) -> str:
    return base64.b64encode(bytes([number]) * 32).decode()


OLD, BOTH, NEW = f"old:{_key(1)}", f"new:{_key(2)},old:{_key(1)}", f"new:{_key(2)}"


@pytest.fixture(autouse=True)
def _old_key(settings: Settings) -> None:
    settings.MASTER_KEYS = OLD


@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.binary(max_size=64), st.binary(max_size=64))
def test_signature_belongs_to_exactly_its_bytes(payload: bytes, other: bytes) -> None:
    signature = sign(payload, purpose=RECEIPT)
    verify(payload, Signature.from_json(signature.as_json()), purpose=RECEIPT)
    if other != payload:
        with pytest.raises(SignatureWrong):
            verify(other, signature, purpose=RECEIPT)


def test_signature_of_one_purpose_is_refused_for_another() -> None:
    with pytest.raises(SignatureWrong):
        verify(b"x", sign(b"x", purpose=RECEIPT), purpose=LEDGER)


def test_signature_is_verified_after_the_master_key_changed_and_needs_the_kept_key_after_it_left(
    settings: Settings,
) -> None:
    signature, kept = sign(b"x", purpose=RECEIPT), public_keys(purpose=RECEIPT)["old"]
    settings.MASTER_KEYS = BOTH
    verify(b"x", signature, purpose=RECEIPT)
    assert sign(b"x", purpose=RECEIPT).key_id == "new"
    settings.MASTER_KEYS = NEW
    with pytest.raises(SignatureWrong, match="old"):
        verify(b"x", signature, purpose=RECEIPT)
    verify(b"x", signature, purpose=RECEIPT, public_key=kept)


def test_outsider_with_the_public_key_alone_can_check() -> None:
    signature = sign(b"receipt", purpose=RECEIPT)
    Ed25519PublicKey.from_public_bytes(public_keys(purpose=RECEIPT)["old"]).verify(
        signature.value, b"receipt"
    )


@pytest.mark.parametrize("body", [None, {}, {"key_id": "old", "algorithm": "Ed25519", "value": "?"}, []])
def test_signature_of_another_form_is_refused(body: object) -> None:
    with pytest.raises(SignatureWrong):
        Signature.from_json(body)


def test_other_algorithm_is_refused() -> None:
    signature = sign(b"x", purpose=RECEIPT)
    with pytest.raises(SignatureWrong, match="none"):
        verify(b"x", Signature(signature.key_id, "none", signature.value), purpose=RECEIPT)


def test_signing_keys_prints_each_public_key_and_no_master_key(settings: Settings) -> None:
    settings.MASTER_KEYS = BOTH
    out = StringIO()
    call_command("signing_keys", stdout=out)
    lines = out.getvalue().splitlines()
    assert len(lines) == 2 * len(SignaturePurpose)
    assert len({line.split("\t")[2] for line in lines}) == len(lines)
    assert _key(1) not in out.getvalue()
    assert _key(2) not in out.getvalue()
