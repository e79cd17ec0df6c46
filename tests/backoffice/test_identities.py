"""As whom other issuers know a person: seen and changed on the person's page, by super_admin alone."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from apps.audit.models import AuditDetail, AuditEntry
from apps.identity.errors import IdentityUnknown
from apps.identity.models import ExternalIdentity
from apps.identity.services import link_identity, unlink_identity
from apps.users.errors import UserNotFound
from apps.users.models import User
from tests.backoffice.visits import ROLES, World, visitor
from tests.factories import actor, make_member, make_tenant, make_user

pytestmark = pytest.mark.django_db

NILE = "https://eu.api.thenile.dev/v2/databases/0190"
KEYCLOAK = "https://kc.example/realms/main"
REASON = "ticket 4711, asked by the customer"


@pytest.fixture(autouse=True)
def _trusted(settings: Settings) -> None:
    settings.NILE_URL = NILE
    settings.EXTERNAL_ISSUERS = [
        {"issuer": KEYCLOAK, "jwks_url": "https://kc.example/certs", "audience": "steward"}
    ]


def page_of(user: User, tab: str = "identities") -> str:
    return f"/backoffice/users/{user.public_id}/?tab={tab}"


def say(client: Client, user: User, dialog: str, **data: str) -> Any:
    """What the dialog's script sends."""
    address = f"/backoffice/users/{user.public_id}/{dialog}/"
    return client.post(address, {"reason": REASON, **data}, headers={"HX-Request": "true"})


def link(client: Client, user: User, *, issuer: str = NILE, subject: str = "0191-ada") -> Any:
    return say(client, user, "link-identity", issuer=issuer, subject=subject)


def changes() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action__startswith="identity.").order_by("at"))


def test_super_admin_links_and_the_tab_tells_issuer_subject_and_who_did_it() -> None:
    user, client = make_member(make_tenant()), visitor("super_admin", email="linker@steward.example")
    done = link(client, user)
    assert done.status_code == 204
    assert done["HX-Redirect"] == page_of(user)
    identity = ExternalIdentity.objects.get()
    assert (identity.issuer, identity.subject, identity.user_id) == (NILE, "0191-ada", user.pk)
    page = client.get(page_of(user)).content.decode()
    assert f"Nile: {NILE}" in page
    assert "0191-ada" in page
    assert identity.linked_by == User.objects.get(email="linker@steward.example").public_id
    assert f"/backoffice/users/{identity.linked_by}/" in page
    assert f"{identity.created_at:%Y-%m-%d %H:%M:%S}" in page


def test_link_and_unlink_leave_one_row_each_with_the_reason() -> None:
    user, client = make_user(), visitor("super_admin")
    assert link(client, user).status_code == 204
    identity = ExternalIdentity.objects.get()
    assert say(client, user, "unlink-identity", identity=str(identity.pk)).status_code == 204
    assert not ExternalIdentity.objects.exists()
    linked, unlinked = changes()
    assert [linked.action, unlinked.action] == ["identity.link", "identity.unlink"]
    for entry in (linked, unlinked):
        assert (entry.outcome, entry.via, entry.resource_id) == ("success", "backoffice", user.public_id)
        assert REASON in AuditDetail.objects.get(entry=entry, part="subject").body
        assert entry.actor_id == identity.linked_by


@pytest.mark.parametrize("role", [role for role in ROLES if role != "super_admin"])
def test_every_other_role_neither_sees_nor_changes_identities(role: str) -> None:
    user = make_member(make_tenant(is_test=True))
    identity = link_identity(actor=actor(), user=user, issuer=NILE, subject="0191-ada")
    client = visitor(role)
    page = client.get(page_of(user)).content.decode()
    assert "0191-ada" not in page
    assert "tab=identities" not in page
    assert "link-identity" not in page
    assert link(client, user, subject="0191-eve").status_code == 403
    assert say(client, user, "unlink-identity", identity=str(identity.pk)).status_code == 403
    assert ExternalIdentity.objects.get().subject == "0191-ada"


def test_support_reads_the_link_in_the_trail_masked(world: World) -> None:
    address = f"/backoffice/users/{world.live['users']}/?tab=timeline&action=identity.link"
    masked = visitor("support").get(address).content
    assert b"https://login.acme.example/realms/main" in masked
    assert b"z***@acme.example" in masked
    assert b"zephyrine" not in masked.lower()
    assert b"zephyrine.live@acme.example" in visitor("super_admin").get(address).content


def test_subject_of_another_person_is_refused_by_a_sentence_that_says_whose_it_is() -> None:
    owner, other, client = make_user(), make_user(), visitor("super_admin")
    assert link(client, owner).status_code == 204
    refused = link(client, other)
    assert refused.status_code == 409
    assert (
        f"Another person is known by this issuer and subject: {owner.public_id}" in refused.content.decode()
    )
    again = link(client, owner)
    assert again.status_code == 409
    assert "This person is known by this issuer and subject already." in again.content.decode()
    assert ExternalIdentity.objects.get().user_id == owner.pk
    assert link(client, other, issuer=KEYCLOAK).status_code == 204


@pytest.mark.parametrize(
    "data",
    [
        {"issuer": "https://evil.example", "subject": "a"},
        {"issuer": f"{NILE}/", "subject": "a"},
        {"issuer": NILE, "subject": "  "},
        {"issuer": NILE, "subject": "a" * 256},
        {"issuer": NILE, "subject": "a", "reason": ""},
    ],
    ids=["stranger", "slash", "blank", "long", "no reason"],
)
def test_link_asks_for_a_trusted_issuer_a_subject_and_a_reason(data: dict[str, str]) -> None:
    user = make_user()
    assert say(visitor("super_admin"), user, "link-identity", **data).status_code == 400
    assert not ExternalIdentity.objects.exists()
    assert changes() == []


def test_identity_of_somebody_else_can_not_be_unlinked_from_this_page() -> None:
    owner, other = make_user(), make_user()
    identity = link_identity(actor=actor(), user=owner, issuer=NILE, subject="a")
    link_identity(actor=actor(), user=other, issuer=NILE, subject="b")
    refused = say(visitor("super_admin"), other, "unlink-identity", identity=str(identity.pk))
    assert refused.status_code == 400
    assert ExternalIdentity.objects.count() == 2


def test_second_unlink_finds_nothing_to_unlink() -> None:
    identity = link_identity(actor=actor(), user=make_user(), issuer=NILE, subject="a")
    again = ExternalIdentity.objects.get()
    unlink_identity(actor=actor(), identity=identity)
    with pytest.raises(IdentityUnknown):
        unlink_identity(actor=actor(), identity=again)


def test_person_who_is_gone_is_not_linked() -> None:
    user = make_user()
    User.objects.filter(pk=user.pk).delete()
    with pytest.raises(UserNotFound):
        link_identity(actor=actor(), user=user, issuer=NILE, subject="a")


def test_issuer_that_is_trusted_no_longer_is_shown_so_and_can_be_unlinked(settings: Settings) -> None:
    user, client = make_user(), visitor("super_admin")
    link_identity(actor=actor(), user=user, issuer=KEYCLOAK, subject="a")
    settings.EXTERNAL_ISSUERS, settings.NILE_URL = [], ""
    page = client.get(page_of(user)).content.decode()
    assert "not trusted" in page
    assert "No other issuer is trusted" in page
    assert f"{user.public_id}/link-identity/" not in page
    assert f"{user.public_id}/unlink-identity/" in page


@pytest.mark.parametrize("by", ["email", "public_id"])
def test_command_links_by_address_or_id(by: str, capsys: pytest.CaptureFixture[str]) -> None:
    user = make_user()
    call_command("link_identity", "--user", getattr(user, by), "--issuer", NILE, "--subject", "0191-ada")
    assert ExternalIdentity.objects.get().user_id == user.pk
    assert user.public_id in capsys.readouterr().out
    (entry,) = changes()
    assert (entry.action, entry.via) == ("identity.link", "command")


def test_command_refuses_strangers_by_a_sentence() -> None:
    user = make_user()
    link_identity(actor=actor(), user=make_user(), issuer=NILE, subject="taken")
    for who, issuer, subject, sentence in (
        ("nobody@else.example", NILE, "a", "There is nobody"),
        (user.email, "https://evil.example", "a", "no issuer of NILE_URL or EXTERNAL_ISSUERS"),
        (user.email, NILE, "taken", "Another person is known"),
        (user.email, NILE, "", "1 to 255"),
    ):
        with pytest.raises(CommandError, match=sentence):
            call_command("link_identity", "--user", who, "--issuer", issuer, "--subject", subject)
    assert ExternalIdentity.objects.count() == 1
