"""NILE_URL: a wrong one stops the start with a sentence that says what to set."""

import pytest
from pydantic import ValidationError

from config.env import Environment
from config.issuers import ExternalIssuer


@pytest.mark.parametrize(
    "address",
    [
        "nile.example/v2",
        "ftp://nile.example/v2",
        "https://user@nile.example/v2",
        "https://nile.example/v2?database=1",
        "https://nile.example/v2#x",
        "https://nile.example/" + "x" * 255,
    ],
)
def test_wrong_address_stops_the_start_with_a_sentence(address: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Environment(NILE_URL=address)
    assert "must be an https:// address" in str(caught.value)


def test_address_loses_its_last_slash_and_may_not_be_another_issuer() -> None:
    assert Environment(NILE_URL="https://nile.example/v2/").NILE_URL == "https://nile.example/v2"
    other = ExternalIssuer(
        issuer="https://nile.example/v2",
        jwks_url="https://nile.example/keys",
        audience="steward",
        platform=True,
    )
    with pytest.raises(ValidationError, match="each name stands for one"):
        Environment(NILE_URL="https://nile.example/v2", EXTERNAL_ISSUERS=[other])
