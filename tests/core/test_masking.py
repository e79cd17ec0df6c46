"""apps.core.masking: what support sees."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.masking import mask_email, mask_ip, mask_json, mask_name, mask_text

LETTERS = string.ascii_letters + string.digits
LOCALS = st.text(LETTERS + "._-+", min_size=2, max_size=20).filter(lambda text: text[0].isalnum())
DOMAINS = st.from_regex(r"\A[a-z]{2,10}\.[a-z]{2,5}\Z")


@pytest.mark.parametrize(
    ("given_", "expected"),
    [("jane@acme.com", "j***@acme.com"), ("@acme.com", "***@acme.com"), ("Jane", "J***"), ("", "")],
)
def test_email_keeps_first_letter_and_domain(given_: str, expected: str) -> None:
    assert mask_email(given_) == expected


@pytest.mark.parametrize(
    ("given_", "expected"),
    [("John Doe", "J*** D***"), ("Ada", "A***"), ("  Jan  van Dyk ", "J*** v*** D***"), ("", "")],
)
def test_name_keeps_first_letters(given_: str, expected: str) -> None:
    assert mask_name(given_) == expected


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("203.0.113.7", "203.0.113.x"),
        ("2001:db8:1::7", "2001:db8:1::x"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::x"),
        ("::1", "0:0:0::x"),
        ("::ffff:203.0.113.7", "203.0.113.x"),
        ("not an address", "x"),
        ("", ""),
    ],
)
def test_address_loses_its_last_part(given_: str, expected: str) -> None:
    assert mask_ip(given_) == expected


@given(local=LOCALS, domain=DOMAINS)
def test_free_text_never_shows_a_whole_email(local: str, domain: str) -> None:
    masked = mask_text(f"asked by {local}@{domain}, twice")
    assert f"{local}@{domain}" not in masked
    assert masked == f"asked by {local[0]}***@{domain}, twice"


@given(address=st.ip_addresses(v=4))
def test_free_text_never_shows_a_whole_address(address: object) -> None:
    masked = mask_text(f"came from {address} at 10:20:30, port {address}:80")
    assert str(address) not in masked
    assert "10:20:30" in masked


def test_free_text_masks_ipv6_and_leaves_clock_times() -> None:
    assert mask_text("2001:db8:1::7 at 09:30:00 (1.2.3)") == "2001:db8:1::x at 09:30:00 (1.2.3)"


def test_json_masks_by_key_and_inside_strings_at_any_depth() -> None:
    value = {
        "email": "jane@acme.com",
        "fullName": "John Doe",
        "clientAddress": "203.0.113.7",
        "label": "jane@acme.com",
        "names": ["kept"],
        "people": [{"name": "Ada Byron", "note": "writes to ada@acme.com"}],
        "reason": "asked by jane@acme.com from 203.0.113.7",
        "count": 3,
        "flag": True,
        "none": None,
        "plan": "starter",
        "phone": "+49 30 1234",
    }
    assert mask_json(value) == {
        "email": "j***@acme.com",
        "fullName": "J*** D***",
        "clientAddress": "203.0.113.x",
        "label": "j***@acme.com",
        "names": ["kept"],
        "people": [{"name": "A*** B***", "note": "writes to a***@acme.com"}],
        "reason": "asked by j***@acme.com from 203.0.113.x",
        "count": 3,
        "flag": True,
        "none": None,
        "plan": "starter",
        "phone": "***",
    }


def test_json_leaves_its_argument_alone() -> None:
    value = {"email": "jane@acme.com"}
    mask_json(value)
    assert value == {"email": "jane@acme.com"}
