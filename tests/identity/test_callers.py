"""apps.identity.callers: who stands behind a token, and that a revocation counts with the next request."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from apps.audit.models import AuditEntry
from apps.core.clock import now
from apps.core.principal import PrincipalKind, system
from apps.core.write import Target, write
from apps.identity.callers import caller
from apps.identity.errors import IdentityTaken, TokenRefused
from apps.identity.services import issue_token, link_identity, revoke_token, unlink_identity
from apps.identity.verification import verify
from apps.tenants.enums import TenantStatus
from apps.tenants.models import Tenant
from apps.users.models import StaffMember, User
from apps.users.services import revoke_sessions, set_staff_roles, suspend_user
from tests.factories import actor, make_staff, make_tenant, make_user, make_workspace
from tests.identity import forge

pytestmark = pytest.mark.django_db
ACTOR = system("test")


def token(subject: User | str = "svc-1", **more: Any) -> str:
    return issue_token(actor=ACTOR, subject=subject, **more).text


def refused(text: str) -> str:
    with pytest.raises(TokenRefused) as caught:
        caller(text)
    return caught.value.reason


def test_machine_is_a_service_with_what_its_token_grants(settings: Settings) -> None:
    tenant = make_tenant()
    space = make_workspace(tenant)
    found = caller(token(tenant=tenant, workspace=space, scopes=["storage:read"], roles=["tenant_operator"]))
    assert found.kind is PrincipalKind.SERVICE
    assert found.id == f"{settings.TOKEN_ISSUER}|svc-1"
    assert (found.tenant_id, found.workspace_id) == (tenant.id, space.id)
    assert found.scopes == {"storage:read", "tenant_operator"}
    assert (found.roles, found.user_id) == (frozenset(), None)


def test_a_machine_with_a_long_subject_has_an_id_that_the_trail_takes() -> None:
    found, other = caller(token("x" * 255)), caller(token("x" * 254 + "y"))
    assert found.id == caller(token("x" * 255)).id
    assert found.id.startswith("sha256|")
    assert found.id != other.id
    with write("test.act", actor=found, target=Target(type="test", id="1")):
        pass
    assert AuditEntry.objects.filter(actor_id=found.id, action="test.act").count() == 1


def test_staff_have_the_roles_of_their_row_and_not_of_the_token() -> None:
    person = make_staff("super_admin")
    text = token(person, roles=["finance"])
    assert caller(text).roles == {"super_admin"}
    StaffMember.objects.filter(user=person).update(roles=["ops"])
    found = caller(text)
    assert (found.kind, found.id, found.user_id) == (PrincipalKind.STAFF, person.public_id, person.id)
    assert found.roles == {"ops"}
    StaffMember.objects.filter(user=person).update(is_active=False)
    assert (caller(text).kind, caller(text).roles) == (PrincipalKind.USER, frozenset())


def test_person_of_a_tenant_is_a_user_without_staff_roles() -> None:
    found = caller(token(make_user(), roles=["super_admin", "admin"]))
    assert (found.kind, found.roles) == (PrincipalKind.USER, frozenset())


def test_session_is_sid_or_else_jti() -> None:
    issued = issue_token(actor=ACTOR, subject="svc")
    assert caller(issued.text).session == issued.jti
    assert caller(token(session="ses-1")).session == "ses-1"


@pytest.mark.parametrize("field", ["suspended_at", "blocked_at"])
def test_stopped_person_is_refused_at_once(field: str) -> None:
    person = make_staff()
    text = token(person)
    caller(text)
    User.objects.filter(id=person.id).update(**{field: now()})
    assert refused(text) == "person_stopped"


def test_revoked_sessions_end_tokens_issued_before_and_none_after() -> None:
    person = make_staff()
    before = token(person)
    caller(before)
    revoke_sessions(actor=actor(), user_id=person.id)
    assert refused(before) == "person_revoked"
    # In the same second, yet later.
    person.refresh_from_db()
    assert caller(token(person)).user_id == person.id


def test_suspension_and_a_change_of_roles_end_tokens_with_the_next_request() -> None:
    person, other = make_staff("admin"), make_staff("super_admin")
    make_staff("super_admin")
    texts = [token(person), token(other)]
    for text in texts:
        caller(text)
    suspend_user(actor=actor(), user_id=person.id, reason="left the company")
    set_staff_roles(actor=actor(), user_id=other.id, roles=["ops"])
    assert refused(texts[0]) == "person_stopped"
    # Its SUPER_ADMIN scope goes with it.
    assert refused(texts[1]) == "person_revoked"
    assert caller(token(User.objects.select_related("staff").get(id=other.id))).scopes == frozenset()


def test_person_that_is_gone_is_refused() -> None:
    person = make_user()
    text = token(person)
    User.objects.filter(id=person.id).delete()
    assert refused(text) == "no_such_person"


def test_single_revoked_token_is_refused_and_others_are_not() -> None:
    text, other = token(), token()
    caller(text)
    found = verify(text)
    assert found.jti is not None
    for _ in range(2):
        revoke_token(actor=ACTOR, issuer=found.issuer, jti=found.jti, expires_at=found.expires_at)
    assert refused(text) == "revoked"
    assert caller(other).label == "svc-1"


def test_revoked_id_of_another_issuer_ends_nothing_of_ours() -> None:
    text = token()
    found = verify(text)
    assert found.jti is not None
    revoke_token(actor=ACTOR, issuer="https://else.example", jti=found.jti, expires_at=found.expires_at)
    assert caller(text).label == "svc-1"


@pytest.mark.parametrize("status", [TenantStatus.SUSPENDED, TenantStatus.CANCELLED])
def test_token_of_a_stopped_tenant_is_refused_at_once(status: TenantStatus) -> None:
    tenant = make_tenant()
    text = token(tenant=tenant)
    caller(text)
    Tenant.objects.filter(id=tenant.id).update(
        status=status, suspended_at=now(), suspended_from=TenantStatus.ACTIVE, cancelled_at=now()
    )
    assert refused(text) == "tenant_stopped"


def test_revoked_tokens_of_a_tenant_are_refused_and_others_are_not() -> None:
    tenant, other = make_tenant(), make_tenant()
    text, elsewhere = token(tenant=tenant), token(tenant=other)
    Tenant.objects.filter(id=tenant.id).update(tokens_valid_after=now())
    assert refused(text) == "tenant_revoked"
    assert caller(elsewhere).tenant_id == other.id
    assert caller(token(tenant=tenant)).tenant_id == tenant.id


@pytest.mark.parametrize("spelling", ["tn_{}", "ten_{}", "tnt_{}"])
def test_every_spelling_of_a_tenant_id_is_read(spelling: str) -> None:
    tenant = make_tenant()
    body = tenant.public_id.partition("_")[2]
    assert caller(forge.own_token(tenant_id=spelling.format(body))).tenant_id == tenant.id


@pytest.mark.parametrize(
    "text", ["tnt_00000000000000000000000000", "tnt_x", "acme", "usr_00000000000000000000000000"]
)
def test_tenant_that_is_not_there_is_refused(text: str) -> None:
    assert refused(forge.own_token(tenant_id=text)) == "tenant_stopped"


def test_workspace_outside_of_the_tenant_is_refused() -> None:
    tenant = make_tenant()
    elsewhere = make_workspace(make_tenant())
    for text in (elsewhere.public_id, "wks_x", "wks_00000000000000000000000000"):
        assert (
            refused(forge.own_token(tenant_id=tenant.public_id, workspace_id=text)) == "workspace_elsewhere"
        )
    assert refused(forge.own_token(workspace_id=elsewhere.public_id)) == "workspace_without_tenant"


class Platform:
    """Stands in for the keys of another issuer."""

    def key(self, kid: str) -> Any:
        return forge.STRANGER if kid == "k1" else None


@pytest.fixture
def other_issuer(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Trusts https://kc.example and gives a function that signs tokens of it."""
    monkeypatch.setattr("apps.identity.trust._keys_of", lambda *_args: Platform())

    def sign(*, platform: bool = True, **changed: Any) -> str:
        settings.EXTERNAL_ISSUERS = [
            {
                "issuer": "https://kc.example",
                "jwks_url": "https://kc.example/jwks",
                "audience": "steward",
                "platform": platform,
            }
        ]
        body = forge.claims(**{"iss": "https://kc.example", "sub": "f:1:jo", **changed})
        return forge.token(forge.STRANGER, {"alg": "RS256", "kid": "k1"}, body)

    return sign


def test_person_of_another_issuer_is_found_by_issuer_and_subject(other_issuer: Callable[..., str]) -> None:
    person = make_staff("ops")
    assert caller(other_issuer()).kind is PrincipalKind.SERVICE
    identity = link_identity(actor=actor(), user=person, issuer="https://kc.example", subject="f:1:jo")
    found = caller(other_issuer())
    assert (found.kind, found.user_id) == (PrincipalKind.STAFF, person.id)
    assert found.roles == {"ops"}
    assert caller(other_issuer(sub="f:1:JO")).user_id is None
    unlink_identity(actor=actor(), identity=identity)
    assert caller(other_issuer()).kind is PrincipalKind.SERVICE


def test_email_and_public_id_in_a_foreign_token_name_nobody(other_issuer: Callable[..., str]) -> None:
    person = make_staff()
    found = caller(other_issuer(sub=person.public_id, email=person.email, preferred_username=person.email))
    assert (found.kind, found.user_id, found.roles) == (PrincipalKind.SERVICE, None, frozenset())


def test_issuer_of_a_tenant_can_not_speak_for_staff(other_issuer: Callable[..., str]) -> None:
    person = make_staff("super_admin")
    link_identity(actor=actor(), user=person, issuer="https://kc.example", subject="f:1:jo")
    found = caller(other_issuer(platform=False, scope="SUPER_ADMIN"))
    assert (found.kind, found.roles, found.scopes) == (PrincipalKind.USER, frozenset(), frozenset())


def test_keycloak_realm_role_superadmin_equals_super_admin(other_issuer: Callable[..., str]) -> None:
    realm = {"roles": ["superadmin"]}
    assert "SUPER_ADMIN" in caller(other_issuer(realm_access=realm)).scopes
    assert caller(other_issuer(realm_access=realm, platform=False)).scopes == frozenset()


def test_revocation_of_a_linked_person_counts_for_foreign_tokens(other_issuer: Callable[..., str]) -> None:
    person = make_staff("ops")
    link_identity(actor=actor(), user=person, issuer="https://kc.example", subject="f:1:jo")
    text = other_issuer()
    caller(text)
    User.objects.filter(id=person.id).update(tokens_valid_after=now() + timedelta(seconds=1))
    assert refused(text) == "person_revoked"


def test_subject_of_an_issuer_is_one_person() -> None:
    link_identity(actor=actor(), user=make_user(), issuer="https://kc.example", subject="x")
    with pytest.raises(IdentityTaken):
        link_identity(actor=actor(), user=make_user(), issuer="https://kc.example", subject="x")
    link_identity(actor=actor(), user=make_user(), issuer="https://else.example", subject="x")


def test_remembered_token_costs_a_few_lookups_by_key(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    tenant = make_tenant()
    text = token(make_staff(), tenant=tenant, workspace=make_workspace(tenant))
    caller(text)
    with django_assert_num_queries(3):  # person with staff row, not revoked?; tenant; workspace
        caller(text)
