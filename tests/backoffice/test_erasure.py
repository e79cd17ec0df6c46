"""Erase, export data, purges and their receipts, in the back office."""

import json
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from apps.audit.models import AuditEntry
from apps.exports.models import Export
from apps.tenants.models import Purge
from apps.tenants.services import run_purge, start_purge
from apps.tenants.services.receipts import verify_receipt
from apps.users.models import User, UserTombstone
from tests.backoffice.visits import visitor
from tests.factories import actor, make_member, make_tenant, make_user

pytestmark = pytest.mark.django_db
ROLES = ["admin", "support", "finance", "ops", "qa"]


@pytest.fixture(autouse=True)
def _objects(settings: Settings, tmp_path: Path) -> None:
    settings.OBJECT_STORE_ROOT = tmp_path / "objects"


def say(client: Client, address: str, **data: str) -> "tuple[int, str, str]":
    response = client.post(f"/backoffice/{address}/", data, headers={"HX-Request": "true"})
    return response.status_code, response.content.decode(), response.get("HX-Redirect", "")


def purged() -> Purge:
    tenant = make_tenant()
    started = start_purge(actor=actor(), tenant_id=tenant.id, reason="asked to")
    run_purge(actor=actor(), purge_id=started.id)
    return Purge.objects.get(id=started.id)


def test_erase_wants_the_address_typed_and_a_reason_and_then_goes_back_to_the_list() -> None:
    user, client = make_user(), visitor("super_admin")
    page = client.get(
        f"/backoffice/users/{user.public_id}/erase/", headers={"HX-Request": "true"}
    ).content.decode()
    assert user.email in page
    assert "undone" in page
    status, said, _ = say(
        client, f"users/{user.public_id}/erase", reason="request", confirmation="x@y.example"
    )
    assert (status, "not the user" in said) == (400, True)
    assert User.objects.filter(pk=user.pk).exists()
    status, _, url = say(client, f"users/{user.public_id}/erase", reason="unlawful", confirmation=user.email)
    assert (status, url) == (204, "/backoffice/users/")
    assert UserTombstone.objects.get(user_id=user.pk).reason_code == "unlawful"
    assert client.get(f"/backoffice/users/{user.public_id}/").status_code == 404


def test_sole_owner_of_a_live_tenant_keeps_the_role_and_is_told_why() -> None:
    tenant = make_tenant()
    owner = make_member(tenant, "owner")
    status, said, _ = say(
        visitor("super_admin"),
        f"users/{owner.public_id}/change-role",
        tenant_id=str(tenant.pk),
        role="member",
        reason="they asked",
    )
    assert (status, f"Only this user owns the tenant {tenant.slug}." in said) == (409, True)


def test_sole_owner_of_a_live_tenant_is_named_in_the_dialog() -> None:
    tenant = make_tenant()
    owner = make_member(tenant, "owner")
    _, said, _ = say(
        visitor("super_admin"), f"users/{owner.public_id}/erase", reason="request", confirmation=owner.email
    )
    assert tenant.slug in said
    assert User.objects.filter(pk=owner.pk).exists()


@pytest.mark.parametrize("role", ROLES)
def test_other_roles_neither_see_nor_reach_erase_and_export(role: str) -> None:
    user, client = make_member(make_tenant(is_test=True)), visitor(role)
    for name in ("erase", "export-data"):
        status, _, _ = say(
            client, f"users/{user.public_id}/{name}", reason="request", confirmation=user.email
        )
        assert status in {403, 404}
    assert User.objects.filter(pk=user.pk).exists()
    assert not Export.objects.exists()


def test_export_data_is_asked_for_on_the_pages_of_a_user_and_of_a_tenant() -> None:
    user, client = make_member(make_tenant()), visitor("super_admin")
    tenant = user.memberships.get().tenant
    for address, kind in (
        (f"users/{user.public_id}", "user_data"),
        (f"tenants/{tenant.public_id}", "tenant_data"),
    ):
        status, _, url = say(client, f"{address}/export-data", reason="they asked")
        export = Export.objects.get(kind=kind)
        assert (status, url) == (204, f"/backoffice/exports/{export.public_id}/")
        assert export.format == "zip"


def test_receipt_is_shown_and_downloaded_and_the_download_is_in_the_trail() -> None:
    purge, client = purged(), visitor("super_admin")
    listed = client.get("/backoffice/purges/").content.decode()
    assert purge.slug in listed
    page = client.get(f"/backoffice/purges/{purge.public_id}/?tab=receipt").content.decode()
    assert purge.receipt_sha256 in page
    assert "Ed25519" in page
    response = client.get(f"/downloads/receipts/{purge.public_id}")
    body = b"".join(response) if response.streaming else response.content
    assert verify_receipt(body)["purge_id"] == purge.public_id
    assert "receipt-" in response["Content-Disposition"]
    assert AuditEntry.objects.filter(action="tenant.download_receipt").count() == 1
    assert json.loads(body)["receipt"]["stores"] == purge.manifest()


@pytest.mark.parametrize("role", ROLES)
def test_receipt_is_for_those_who_may_purge(role: str) -> None:
    purge = purged()
    assert visitor(role).get(f"/downloads/receipts/{purge.public_id}").status_code == 403


def test_receipt_that_is_not_there_is_404_and_a_stranger_signs_in_first() -> None:
    client = visitor("super_admin")
    for name in ("prg_00000000000000000000000001", "x"):
        assert client.get(f"/downloads/receipts/{name}").status_code == 404
    assert Client().get("/downloads/receipts/x", headers={"Accept": "text/html"}).status_code == 302
    assert Client().get("/downloads/receipts/x", headers={"Accept": "application/json"}).status_code == 401
