"""apps.identity.services.tokens: what a token of the embedded issuer says."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from joserfc import jwt
from joserfc.jwk import RSAKey

from apps.core.clock import now
from apps.core.principal import system
from apps.identity.errors import (
    LifetimeInvalid,
    PersonInactive,
    SubjectInvalid,
    TokenRefused,
    WorkspaceElsewhere,
)
from apps.identity.models import SigningKey
from apps.identity.services import issue_token
from apps.identity.services.tokens import Proof
from apps.identity.verification import verify
from tests.factories import get_plan, make_staff, make_tenant, make_user, make_workspace

pytestmark = pytest.mark.django_db
ACTOR = system("test")


def told(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, as somebody else's library reads them with our published key."""
    row = SigningKey.objects.get()
    found = jwt.decode(text, RSAKey.import_key(row.public_jwk), algorithms=["RS256"])
    return found.header, found.claims


def test_claims_are_shaped_as_in_the_contract() -> None:
    tenant = make_tenant("starter")
    tenant.effective_plan = get_plan("growth")
    space = make_workspace(tenant)
    token = issue_token(
        actor=ACTOR,
        subject="svc-1",
        tenant=tenant,
        workspace=space,
        scopes=["postgres:read", "events:publish", "postgres:read"],
        roles=["tenant_admin"],
        session="ses-1",
        proof=Proof(at=now(), methods=("pwd", "otp")),
    )
    header, claims = told(token.text)
    assert header == {"alg": "RS256", "kid": SigningKey.objects.get().kid, "typ": "JWT"}
    assert claims["iss"] == settings.TOKEN_ISSUER
    assert claims["aud"] == settings.TOKEN_AUDIENCE
    assert claims["sub"] == "svc-1"
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["nbf"] == claims["iat"] == claims["iat_us"] // 1_000_000
    assert claims["jti"] == token.jti
    assert claims["jti"].startswith("tok_")
    assert claims["sid"] == "ses-1"
    assert claims["tenant_id"] == tenant.public_id
    assert claims["workspace_id"] == space.public_id
    assert claims["plan_id"] == get_plan("growth").public_id
    assert claims["scope"] == "postgres:read events:publish"
    assert claims["realm_access"] == {"roles": ["tenant_admin"]}
    assert claims["amr"] == ["pwd", "otp"]
    assert abs(claims["auth_time"] - claims["iat"]) <= 1


def test_token_without_place_session_or_proof_leaves_them_out() -> None:
    _, claims = told(issue_token(actor=ACTOR, subject="svc").text)
    assert set(claims) == {"iss", "aud", "sub", "iat", "iat_us", "nbf", "exp", "jti", "scope", "realm_access"}
    assert (claims["scope"], claims["realm_access"]) == ("", {"roles": []})


def test_super_admin_gets_the_scope_and_other_staff_do_not() -> None:
    _, chief = told(issue_token(actor=ACTOR, subject=make_staff("super_admin", "ops")).text)
    assert (chief["scope"], chief["realm_access"]) == ("SUPER_ADMIN", {"roles": ["superadmin"]})
    for person in (make_staff("admin"), make_staff("super_admin", is_active=False), make_user()):
        _, claims = told(issue_token(actor=ACTOR, subject=person).text)
        assert claims["sub"] == person.public_id
        assert (claims["scope"], claims["realm_access"]) == ("", {"roles": []})


@pytest.mark.parametrize("field", ["suspended_at", "blocked_at"])
def test_stopped_person_gets_no_token(field: str) -> None:
    with pytest.raises(PersonInactive):
        issue_token(actor=ACTOR, subject=make_user(**{field: now()}))


def test_workspace_of_another_tenant_is_refused() -> None:
    space = make_workspace(make_tenant())
    with pytest.raises(WorkspaceElsewhere):
        issue_token(actor=ACTOR, subject="svc", tenant=make_tenant(), workspace=space)
    with pytest.raises(WorkspaceElsewhere):
        issue_token(actor=ACTOR, subject="svc", workspace=space)


@pytest.mark.parametrize("subject", ["", "x" * 256])
def test_subject_out_of_bounds_is_refused(subject: str) -> None:
    with pytest.raises(SubjectInvalid):
        issue_token(actor=ACTOR, subject=subject)


@pytest.mark.parametrize("days", [31, -2])
def test_lifetime_out_of_bounds_is_refused(days: int) -> None:
    with pytest.raises(LifetimeInvalid):
        issue_token(actor=ACTOR, subject="svc", lifetime=timedelta(days=days))


def test_token_with_a_lifetime_below_zero_has_ended() -> None:
    text = issue_token(actor=ACTOR, subject="svc", lifetime=timedelta(seconds=-5)).text
    _, claims = told(text)
    assert claims["iat"] <= claims["exp"]
    with pytest.raises(TokenRefused) as caught:
        verify(text)
    assert caught.value.reason == "expired"


def test_each_token_has_its_own_id() -> None:
    assert len({issue_token(actor=ACTOR, subject="svc").jti for _ in range(20)}) == 20
