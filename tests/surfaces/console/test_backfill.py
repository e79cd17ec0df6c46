"""Creators become owners of tenants that nobody belongs to."""

import threading

import pytest
from django.db import connection
from django.test import Client

from apps.tenants.models import TenantFacts
from apps.users.models import Membership
from tests.factories import make_member, make_staff, make_tenant, make_user
from tests.surfaces.callers import by_token
from tests.surfaces.console.calling import BACKFILL, sent
from tests.users.support import trail


@pytest.mark.django_db
def test_the_creator_of_a_tenant_without_members_becomes_its_owner_once(master: Client) -> None:
    creator = make_user(email="creator@acme.example")
    tenant = make_tenant(owner_email="Creator@acme.example")
    assert sent(master, f"POST {BACKFILL}").json() == {"ok": True, "seeded": 1}
    assert Membership.objects.get(tenant=tenant).user_id == creator.pk
    assert Membership.objects.get(tenant=tenant).role == "owner"
    assert TenantFacts.objects.get(tenant=tenant).members == 1
    assert trail("membership.backfill").metadata["seeded"] == 1
    assert sent(master, f"POST {BACKFILL}").json() == {"ok": True, "seeded": 0}


@pytest.mark.django_db
def test_tenants_with_members_and_creators_without_account_are_left_alone(master: Client) -> None:
    make_user(email="creator@acme.example")
    settled = make_tenant(owner_email="creator@acme.example")
    member = make_member(settled)
    unknown = make_tenant(owner_email="nobody@acme.example")
    assert sent(master, f"POST {BACKFILL}").json()["seeded"] == 0
    assert [row.user_id for row in Membership.objects.filter(tenant=settled)] == [member.pk]
    assert not Membership.objects.filter(tenant=unknown).exists()


@pytest.mark.django_db(transaction=True)
def test_two_at_once_seed_each_tenant_once() -> None:
    creator = make_user(email="creator@acme.example")
    for _ in range(20):
        make_tenant(owner_email=creator.email)
    clients = [by_token(make_staff("super_admin")) for _ in range(3)]
    seeded: list[int] = []

    def run(client: Client) -> None:
        seeded.append(sent(client, f"POST {BACKFILL}").json()["seeded"])
        connection.close()

    threads = [threading.Thread(target=run, args=[client]) for client in clients]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(seeded) == [0, 0, 20]
    assert Membership.objects.filter(user=creator).count() == 20
