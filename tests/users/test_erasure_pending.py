"""Between an erasure's answer and its end: what a restore finds in the ledger, and what waits for a person."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from django.test import Client
from pytest_django import Settings

from apps.backoffice.home import board
from apps.core.clock import now
from apps.core.erasing import ledger
from apps.core.erasing.columns import SealedUnread
from apps.core.erasing.traces import ERASED_EMAIL
from apps.core.models import IdempotentResponse
from apps.core.objectstore import StoreUnavailable
from apps.core.principal import system
from apps.core.sealing import open_sealed
from apps.core.write.idempotency import Scope, StoredResponse
from apps.core.write.idempotency import store as store_answer
from apps.plans.models import Plan
from apps.users.models import User, UserTombstone
from apps.users.services import create_user, erase_user, finish_erasure, finish_erasures
from tests.factories import actor, make_staff, make_user, staff_principal
from tests.surfaces.callers import by_session


@pytest.fixture(autouse=True)
def _objects(settings: Settings, tmp_path: Path) -> None:
    settings.OBJECT_STORE_ROOT = tmp_path / "objects"


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The object store takes nothing; undo it and it does again."""

    def refuse(*_: object, **__: object) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as patch:
        patch.setattr("apps.core.objectstore.local.LocalStore.put", refuse)
        yield patch


def delete(client: Client, person: User, **query: str) -> int:
    path = f"/api/v1/platform/admin/users/{person.public_id}"
    return client.delete(path, query_params={"confirmation": person.email, **query}).status_code


def recorded() -> list[UUID]:
    return [line.subject_id for line in ledger.lines() if isinstance(line, ledger.Line)]


@pytest.mark.django_db(transaction=True)
def test_whoever_is_told_of_an_erasure_finds_it_in_the_ledger_before_any_job_ran() -> None:
    person, client = make_user(), by_session(make_staff("super_admin"))
    assert delete(client, person, validate_only="true") == 200
    assert delete(client, person, confirmation="another@people.example") == 400
    assert recorded() == []
    assert delete(client, person) == 200
    assert recorded() == [person.pk]
    finish_erasure(actor=system("x"), user_id=person.pk)
    assert recorded() == [person.pk]


@pytest.mark.django_db(transaction=True)
def test_with_the_object_store_away_an_erasure_is_told_and_waits_where_people_see_it(
    away: pytest.MonkeyPatch,
) -> None:
    person, client = make_user(), by_session(make_staff("super_admin"))
    assert delete(client, person) == 200
    assert not User.objects.filter(pk=person.pk).exists()
    with pytest.raises(StoreUnavailable):
        finish_erasures(actor=system("x"))
    assert stuck() == []
    UserTombstone.objects.update(deleted_at=now() - timedelta(hours=2))
    assert stuck() == [person.public_id]
    away.undo()
    assert finish_erasures(actor=system("x")) == 1
    assert recorded() == [person.pk]
    assert stuck() == []


def stuck() -> list[str]:
    found = board(staff_principal("super_admin")).matters
    title = "Erasures that do not end"
    return [str(matter.label) for one in found if one.title == title for matter in one.matters]


@pytest.mark.django_db
def test_sealed_value_that_can_not_be_opened_keeps_nothing_else_from_being_swept_and_waits_for_a_person() -> (
    None
):
    first, second = make_user(), make_user()
    answers = [_kept(number, person) for number, person in enumerate((first, first, second))]
    good = bytes(answers[0].body)
    IdempotentResponse.objects.filter(pk=answers[0].pk).update(body=good[:-1] + bytes([good[-1] ^ 1]))
    plan = Plan.objects.get(slug="starter")
    Plan.objects.filter(pk=plan.pk).update(description=f"ask {first.email} or {second.email}")
    for person in (first, second):
        erase_user(actor=actor(), user_id=person.pk, confirmation=person.email)
    with pytest.raises(SealedUnread, match=r"core.IdempotentResponse.body .*") as refused:
        finish_erasures(actor=system("x"))
    assert len(refused.value.details["values"]) == 1
    plan.refresh_from_db()
    assert plan.description == f"ask {ERASED_EMAIL} or {ERASED_EMAIL}"
    for answer in answers[1:]:
        answer.refresh_from_db()
        assert json.loads(open_sealed(bytes(answer.body), purpose="idempotent-response")) == {
            "email": ERASED_EMAIL
        }
    UserTombstone.objects.update(deleted_at=now() - timedelta(hours=2))
    assert len(stuck()) == 2
    # Somebody gave the master key back.
    IdempotentResponse.objects.filter(pk=answers[0].pk).update(body=good)
    assert finish_erasures(actor=system("x")) == 2
    answers[0].refresh_from_db()
    assert ERASED_EMAIL in open_sealed(bytes(answers[0].body), purpose="idempotent-response").decode()
    assert stuck() == []


def _kept(number: int, person: User) -> IdempotentResponse:
    scope = Scope("platform", "", "usr_x", "GET", "/x", f"key {number}")
    body = json.dumps({"email": person.email}).encode()
    store_answer(scope, b"print", StoredResponse(200, {}, body))
    return IdempotentResponse.objects.get(key_hash=scope.digest())


@pytest.mark.django_db
def test_who_comes_with_the_address_before_the_erasure_ends_keeps_it() -> None:
    person = make_user()
    erase_user(actor=actor(), user_id=person.pk, confirmation=person.email)
    again = create_user(actor=actor(), email=person.email, name="Somebody New")
    finish_erasure(actor=system("x"), user_id=person.pk)
    again.refresh_from_db()
    assert (again.email, again.name) == (person.email, "Somebody New")
