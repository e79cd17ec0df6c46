"""apps.identity.api.authentication: what the surfaces ask."""

import pytest
from django.http import HttpRequest
from django.test import RequestFactory

from apps.core.errors import Kind, Unauthenticated
from apps.core.principal import PrincipalKind, system
from apps.identity.api.authentication import BearerToken, StaffToken
from apps.identity.services import issue_token
from apps.surfaces.kit.authentication import authenticate
from tests.factories import make_staff, make_tenant, make_user
from tests.identity import forge

pytestmark = pytest.mark.django_db
ACTOR = system("test")


def request(header: str | None) -> HttpRequest:
    headers = {} if header is None else {"Authorization": header}
    return RequestFactory().get("/", headers=headers)


@pytest.mark.parametrize("header", [None, "", "Basic QTpC", "Token abc", "Bearerabc", "bear er"])
@pytest.mark.parametrize("authenticator", [BearerToken(), StaffToken()])
def test_request_without_a_bearer_token_is_somebody_elses(
    authenticator: BearerToken, header: str | None
) -> None:
    assert authenticator.authenticate(request(header)) is None


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "bearer  ",
        "Bearer a b",
        "Bearer a,b",
        "Bearer a.b.c, Bearer d.e.f",
        "Bearer é",
        "Bearer a.b.c",
        "Bearer null",
    ],
)
@pytest.mark.parametrize("authenticator", [BearerToken(), StaffToken()])
def test_bad_bearer_token_is_unauthenticated_in_one_sentence(authenticator: BearerToken, header: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        authenticator.authenticate(request(header))
    assert (caught.value.kind, caught.value.message) == (Kind.UNAUTHENTICATED, "The token is not valid.")
    assert caught.value.details == {}


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_staff_token_makes_a_staff_principal(scheme: str) -> None:
    person = make_staff("admin", "ops")
    token = issue_token(actor=ACTOR, subject=person, session="ses-1")
    found = StaffToken().authenticate(request(f"{scheme} {token.text}"))
    assert found is not None
    assert (found.kind, found.session) == (PrincipalKind.STAFF, "ses-1")
    assert found.roles == {"admin", "ops"}


def test_valid_token_of_somebody_else_has_no_staff_roles() -> None:
    for subject in (make_user(), "svc-1"):
        text = issue_token(actor=ACTOR, subject=subject, scopes=["SUPER_ADMIN"], roles=["superadmin"]).text
        found = StaffToken().authenticate(request(f"Bearer {text}"))
        assert found is not None
        assert (found.roles, found.scopes) == (frozenset(), frozenset())
        assert found.kind is not PrincipalKind.STAFF


def test_general_token_carries_scopes_and_tenant() -> None:
    tenant = make_tenant()
    text = issue_token(actor=ACTOR, subject="svc", tenant=tenant, scopes=["SUPER_ADMIN"]).text
    found = BearerToken().authenticate(request(f"Bearer {text}"))
    assert found is not None
    assert found.tenant_id == tenant.id
    assert found.scopes == {"SUPER_ADMIN", "superadmin"}


def test_expired_token_says_no_more_than_a_forged_one() -> None:
    said = set()
    for text in (
        forge.own_token(exp=1),
        forge.token(forge.STRANGER, {"alg": "RS256", "kid": "x"}, forge.claims()),
    ):
        with pytest.raises(Unauthenticated) as caught:
            BearerToken().authenticate(request(f"Bearer {text}"))
        said.add((caught.value.code, caught.value.message))
    assert len(said) == 1


def test_platform_surface_knows_staff_by_token() -> None:
    person = make_staff("ops")
    asked = request(f"Bearer {issue_token(actor=ACTOR, subject=person).text}")
    found = authenticate(asked, "platform")
    assert (found.user_id, found.via, found.address) == (person.id, "platform", "127.0.0.1")
    with pytest.raises(Unauthenticated):
        authenticate(request("Bearer x.y.z"), "platform")
