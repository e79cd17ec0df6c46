"""What other verifiers read."""

import json

import pytest
from django.test import RequestFactory
from django.urls import resolve
from joserfc import jwt
from joserfc.jwk import KeySet
from pytest_django import Settings

from apps.core.principal import system
from apps.identity.api import wellknown
from apps.identity.services import issue_token, rotate_signing_key
from apps.identity.trust import embedded_keys

pytestmark = pytest.mark.django_db
ACTOR = system("test")


def test_doors_stand_where_the_standards_say() -> None:
    assert resolve("/.well-known/jwks.json").func is wellknown.jwks
    assert resolve("/.well-known/openid-configuration").func is wellknown.configuration


def test_key_set_of_an_empty_database_is_empty() -> None:
    answer = wellknown.jwks(RequestFactory().get("/"))
    assert json.loads(answer.content) == {"keys": []}


def test_published_set_verifies_tokens_and_holds_the_next_key() -> None:
    text = issue_token(actor=ACTOR, subject="svc").text
    following = rotate_signing_key(actor=ACTOR)
    embedded_keys.forget()
    answer = wellknown.jwks(RequestFactory().get("/"))
    found = json.loads(answer.content)
    assert jwt.decode(text, KeySet.import_key_set(found), algorithms=["RS256"]).claims["sub"] == "svc"
    assert following.kid in {key["kid"] for key in found["keys"]}
    assert len(found["keys"]) == 2
    assert all(set(key) == {"kty", "n", "e", "kid", "use", "alg"} for key in found["keys"])
    assert answer["Cache-Control"] == "public, max-age=300"


def test_metadata_names_issuer_and_key_set(settings: Settings) -> None:
    settings.PUBLIC_URL = "https://steward.example"
    settings.TOKEN_ISSUER = "https://issuer.example"
    found = json.loads(wellknown.configuration(RequestFactory().get("/")).content)
    assert found["issuer"] == "https://issuer.example"
    assert found["jwks_uri"] == "https://steward.example/.well-known/jwks.json"
    assert found["id_token_signing_alg_values_supported"] == ["RS256"]


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_only_reading_is_served(method: str) -> None:
    request = getattr(RequestFactory(), method)("/")
    assert wellknown.jwks(request).status_code == 405
    assert wellknown.configuration(request).status_code == 405
