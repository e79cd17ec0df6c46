"""EXTERNAL_ISSUERS: a wrong one stops the start with a sentence that says what to set."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from config.issuers import parse_issuers
from tests.database import ROOT

GOOD = {
    "issuer": "https://kc.example/realms/x",
    "jwks_url": "https://kc.example/jwks",
    "audience": "steward",
    "platform": True,
}
TENANT = "tnt_" + "0" * 26


def test_list_of_issuers_is_read() -> None:
    found = parse_issuers(
        json.dumps(
            [
                GOOD,
                {**GOOD, "issuer": "one", "platform": False, "tenant_id": TENANT},
                {**GOOD, "issuer": "many", "platform": False, "tenant_id": "*"},
            ]
        )
    )
    assert [each.platform for each in found] == [True, False, False]
    assert [each.tenant_id for each in found] == [None, TENANT, "*"]
    assert parse_issuers("") == parse_issuers("[]") == []


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"jwks_url": "ftp://kc.example"}, "entry 1, jwks_url: must be an https:// address"),
        ({"jwks_url": "https://user@kc.example"}, "entry 1, jwks_url: must be an https:// address"),
        ({"jwks_url": "kc.example/jwks"}, "entry 1, jwks_url: must be an https:// address"),
        ({"platform": "yes"}, "entry 1, platform:"),
        ({"audience": ""}, "entry 1, audience:"),
        ({"issuer": None}, "entry 1, issuer:"),
        ({"tenant_id": "acme"}, "entry 1, tenant_id: must be a tenant's id"),
        ({"tenant_id": ""}, "entry 1, tenant_id: must be a tenant's id"),
        ({"platform": False}, "entry 1, tenant_id: must say for which tenant"),
        ({"jwks": "https://kc.example"}, "entry 1, jwks:"),
    ],
)
def test_wrong_entry_is_named_in_a_sentence(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match="entry") as caught:
        parse_issuers(json.dumps([{**GOOD, **changed}]))
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize("text", ["{", "{}", "7", '"x"', "[7]"])
def test_what_is_no_list_of_objects_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        parse_issuers(text)


def test_issuer_that_stands_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        parse_issuers(json.dumps([GOOD, GOOD]))


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (
            [{**GOOD, "jwks_url": "file:///etc/passwd"}],
            "EXTERNAL_ISSUERS is wrong: entry 1, jwks_url: must be",
        ),
        ([{**GOOD, "issuer": "https://steward.example"}], "which is our own issuer"),
    ],
)
def test_wrong_setting_stops_the_start(value: list[dict[str, Any]], sentence: str) -> None:
    environment = {
        **os.environ,
        "EXTERNAL_ISSUERS": json.dumps(value),
        "TOKEN_ISSUER": "https://steward.example",
    }
    started = subprocess.run(
        [sys.executable, "-c", "import config.settings"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert started.returncode == 78
    assert sentence in started.stderr
    assert "Traceback" not in started.stderr
