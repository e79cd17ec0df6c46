"""Owners who go at the same time."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apps.users.enums import MembershipRole
from apps.users.errors import SoleOwner
from apps.users.models import Membership, User
from apps.users.services import UserChanges, erase_user, memberships, update_user
from apps.users.services import erasure as erasing
from tests.factories import actor, make_member, make_tenant, make_user


@pytest.mark.django_db
def test_topics_are_locked_before_the_trail_as_in_every_write() -> None:
    # In another order, an erasure and a write that ends somebody's sessions would wait for each other.
    person = make_user()
    with CaptureQueriesContext(connection) as asked:
        erase_user(actor=actor(), user_id=person.pk, confirmation=person.email)
    said = [query["sql"] for query in asked.captured_queries]
    topics = [place for place, sql in enumerate(said) if "INSERT INTO core_live_topic" in sql]
    trail = [place for place, sql in enumerate(said) if "audit_shred(" in sql or "audit_append(" in sql]
    assert topics
    assert len(trail) == 2
    assert max(topics) < min(trail)


def go_at_once(
    monkeypatch: pytest.MonkeyPatch, module: Any, looks: str, go: Callable[[User], object]
) -> list[str]:
    """Lets both owners of a tenant go after both have looked whether they may; `looks` is the module's function that
    does. Who stayed, and who went."""
    tenant = make_tenant()
    owners = [make_member(tenant, "owner") for _ in range(2)]
    both_have_looked = threading.Barrier(2)
    look = getattr(module, looks)

    def looking(*args: Any, **named: Any) -> Any:
        found = look(*args, **named)
        # Whoever waits for the other's end does not come here.
        with suppress(threading.BrokenBarrierError):
            both_have_looked.wait(timeout=1)
        return found

    def going(person: User) -> str:
        try:
            go(person)
        except SoleOwner:
            return "kept"
        finally:
            connection.close()
        return "gone"

    monkeypatch.setattr(module, looks, looking)
    with ThreadPoolExecutor(2) as pool:
        found = sorted(pool.map(going, owners))
    assert Membership.objects.filter(tenant=tenant, role="owner").count() == 1
    return found


@pytest.mark.django_db(transaction=True)
def test_two_owners_erased_at_once_leave_one_of_them(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
) -> None:
    settings.OBJECT_STORE_ROOT = tmp_path / "objects"

    def erase(person: User) -> None:
        erase_user(actor=actor(), user_id=person.pk, confirmation=person.email)

    assert go_at_once(monkeypatch, erasing, "_refuse_blocked", erase) == ["gone", "kept"]


@pytest.mark.django_db(transaction=True)
def test_two_owners_made_members_at_once_leave_one_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def demote(person: User) -> None:
        update_user(actor=actor(), user_id=person.pk, changes=UserChanges(role=MembershipRole.MEMBER))

    assert go_at_once(monkeypatch, memberships, "sole_ownerships", demote) == ["gone", "kept"]
