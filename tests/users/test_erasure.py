"""Erasure: nothing of the person is left, nobody else loses anything, and it survives being killed."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from psycopg import sql
from pytest_django import Settings

from apps.approvals.models import ApprovalRequest
from apps.audit.models import AuditDetail, AuditEntry
from apps.audit.verification import verify_all
from apps.core import attempts
from apps.core.aspects import Subject, registry
from apps.core.clock import now
from apps.core.enums import JobEngine
from apps.core.erasing import ledger
from apps.core.erasing.columns import sweep_columns
from apps.core.erasing.traces import ERASED_EMAIL, Traces
from apps.core.jobs import registry as jobs
from apps.core.jobs.runner import run
from apps.core.models import IdempotentResponse, Job
from apps.core.objectstore import StoreUnavailable, store
from apps.core.outbound.messages import queue_mail
from apps.core.principal import system
from apps.core.sealing import open_sealed, open_text, sealed_columns
from apps.core.write import write
from apps.core.write.idempotency import Scope, StoredResponse
from apps.core.write.idempotency import store as store_answer
from apps.exports.models import Export
from apps.exports.services import request_export
from apps.tenants.models import StatusChange, Tenant
from apps.users.errors import ConfirmationWrong, LastSuperAdmin, SoleOwner, UserNotFound, Yourself
from apps.users.models import Membership, User, UserTombstone
from apps.users.services import (
    UserChanges,
    change_email,
    erase_user,
    finish_erasure,
    finish_erasures,
    update_user,
)
from apps.users.services import erasure as erasing
from apps.users.services.erasure import remove_late
from tests.factories import actor, make_member, make_staff, make_tenant, make_user, staff_principal
from tests.surfaces.callers import by_session
from tests.users.support import enrol, open_session

OLD, EMAIL, NAME = "xanthe.old@people.example", "xanthe.wyvern@people.example", "Xanthe Wyvernfeather"
ADDRESS = "198.51.100.201"
BEFORE = "Quillon Zephyrbottom"
WORDS = ("xanthe", "wyvern", "zephyr", ADDRESS)


@pytest.fixture(autouse=True)
def _objects(settings: Settings, tmp_path: Path) -> None:
    settings.OBJECT_STORE_ROOT = tmp_path / "objects"


def make_person(tenant: Tenant) -> User:
    """Somebody of whom something stands in every place that can hold it."""
    person = make_member(tenant, email=OLD, name=BEFORE, notes=f"{NAME} likes {OLD}")
    boss = staff_principal("super_admin")
    change_email(actor=boss, user_id=person.pk, email=EMAIL)
    update_user(actor=boss, user_id=person.pk, changes=UserChanges(name=NAME))
    person.refresh_from_db()
    enrol(person)
    open_session(person, ADDRESS)
    own = person.principal(via="console", address=ADDRESS)
    with write("sample.did", actor=own, target=tenant.audit_target(), reason=f"I am {BEFORE}") as w:
        w.enqueue("sample.job", note=f"for {EMAIL} ({NAME}, once {BEFORE})", whom={"mail": [EMAIL]})
        queue_mail(w, to="boss@steward.example", subject="New", text=f"{NAME} <{EMAIL}> has come.")
    with write("sample.about", actor=boss, target=tenant.audit_target(), reason=f"{EMAIL} asked") as w:
        w.changed(after={"owner_email": EMAIL})
    StatusChange.objects.create(
        tenant=tenant, from_status="trial", to_status="active", actor_id="x", reason=f"wrote from {EMAIL}."
    )
    Tenant.objects.filter(pk=tenant.pk).update(owner_email=EMAIL)
    attempts.failed("password", rules=[], account=attempts.account_key(EMAIL), address=ADDRESS)
    for params in ({"user_id": person.public_id, "name": NAME}, {"search": EMAIL}):
        _asked_for(params, person)
    return person


def _asked_for(params: dict[str, str], person: User) -> None:
    text = json.dumps(params, sort_keys=True, separators=(",", ":"))
    ApprovalRequest.objects.create(
        action="sample", params=text, params_hash=b"x" * 32, target_type="user", target_id=person.public_id,
        person_id=person.pk, requested_by=params.get("search", "usr_x"), requested_via="x", reason=f"for {NAME}",
        expires_at=now() + timedelta(days=1),
    )  # fmt: skip


@pytest.fixture
def tenant(django_runs: None) -> Tenant:
    del django_runs
    tenant = make_tenant()
    make_member(tenant, "owner", email="other.owner@people.example", name="Other Owner")
    return tenant


@pytest.fixture
def django_runs(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs of the tests' own names may be asked for."""
    del db
    kind = jobs.JobType("sample.job", lambda *_: None, JobEngine.RQ, "operator", 1, None)
    monkeypatch.setitem(jobs._types, "sample.job", kind)


def run_jobs(name: str) -> None:
    for job in Job.objects.filter(name=name, status="waiting"):
        run(str(job.id))
        job.refresh_from_db()
        assert job.status == "completed", job.error


def everything_said() -> Iterator[tuple[str, str]]:
    """Where and what: each row of each table as text, what is sealed in it opened, and each object."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, udt_name FROM information_schema.columns WHERE table_schema = 'public'"
        )
        for table, column, kind in cursor.fetchall():
            said = sql.SQL("encode({}, 'escape')" if kind == "bytea" else "{}::text")
            query = sql.SQL("SELECT coalesce(string_agg({}, E'\\n'), '') FROM {}").format(
                said.format(sql.Identifier(column)), sql.Identifier(table)
            )
            cursor.execute(query)
            row = cursor.fetchone()
            yield f"{table}.{column}", str(row[0]) if row else ""
    yield from _sealed()
    for found in store().list():
        with store().open(found.key) as opened:
            yield found.key, b"".join(opened.chunks).decode(errors="replace")


def _sealed() -> Iterator[tuple[str, str]]:
    for column in sealed_columns():
        for value in apps.get_model(column.model)._default_manager.values_list(column.field, flat=True):
            inner = value.get(column.json_key) if column.json_key and isinstance(value, dict) else value
            if not inner:
                continue
            text = (
                open_text(inner, purpose=column.purpose)
                if isinstance(inner, str)
                else open_sealed(bytes(inner), purpose=column.purpose).decode(errors="replace")
            )
            yield f"{column} opened", text


def places_of(*words: str) -> set[str]:
    return {where for where, said in everything_said() if any(word.lower() in said.lower() for word in words)}


def delete(
    client: Client, person: User, confirmation: str = EMAIL, **headers: str
) -> tuple[int, dict[str, Any]]:
    response = client.delete(
        f"/api/v1/platform/admin/users/{person.public_id}",
        query_params={"confirmation": confirmation},
        headers=headers,
    )
    return response.status_code, response.json()


def test_after_an_erasure_nothing_of_the_person_is_in_any_column_or_object(tenant: Tenant) -> None:
    person = make_person(tenant)
    client = by_session(make_staff("super_admin"))
    profile = json.dumps({"userId": person.public_id, "name": NAME, "email": EMAIL, "kept": "kept"})
    scope = Scope("console", "", "usr_x", "PATCH", "/x", "key")
    store_answer(scope, b"print", StoredResponse(200, {}, profile.encode()))
    stored = IdempotentResponse.objects.get()
    request_export(actor=staff_principal("super_admin"), kind="users")
    run_jobs("exports.build")
    request_export(actor=staff_principal("super_admin"), kind="users", format_="json")  # still being made
    before = places_of(*WORDS)
    assert {
        "users_user.email", "users_user.name", "audit_detail.body", "core_job.args", "usersessions_usersession.ip",
        "core.Job.args[sealed] opened", "tenants_tenant.owner_email", "approvals_request.params",
        "users_login_failure.address", "core_job.actor", "tenants_status_change.reason",
        "core.IdempotentResponse.body opened",
    } <= before  # fmt: skip
    assert any(where.startswith("exports/") for where in before)

    status, body = delete(client, person)
    assert (status, body["data"]["data_removed"]) == (200, True)
    stone = UserTombstone.objects.get(user_id=person.pk)
    assert stone.finished_at is None
    assert not User.objects.filter(pk=person.pk).exists()
    run_jobs("users.erase")
    assert places_of(*WORDS) == set()
    stone.refresh_from_db()
    assert (stone.sealed_traces, stone.finished_at is not None) == (None, True)
    # Whoever sends the key again gets the answer of then, without the person.
    stored.refresh_from_db()
    answer = json.loads(open_sealed(bytes(stored.body), purpose="idempotent-response"))
    assert (answer["userId"], answer["email"], answer["kept"]) == (person.public_id, ERASED_EMAIL, "kept")
    assert all(report.broken is None for report in verify_all())


def test_what_belongs_to_others_stays_as_it_was(tenant: Tenant) -> None:
    person = make_person(tenant)
    namesake = make_user(name=NAME, email="namesake@people.example")
    longer = make_user(email=f"mary-{EMAIL}")
    boss = staff_principal("super_admin")
    with write("sample.kept", actor=boss, target=namesake.audit_target(), reason=f"{NAME}, the other"):
        pass
    kept = AuditEntry.objects.get(action="sample.kept")
    own = person.principal(via="console", address=ADDRESS)
    with write("sample.plain", actor=own, target=tenant.audit_target(), reason="it was late"):
        pass
    erase_user(actor=boss, user_id=person.pk, confirmation=EMAIL)
    finish_erasure(actor=boss, user_id=person.pk)
    namesake.refresh_from_db()
    longer.refresh_from_db()
    assert (namesake.name, longer.email) == (NAME, f"mary-{EMAIL}")
    assert AuditDetail.objects.filter(entry=kept).count() == 2
    # The row says still what was done to the tenant, and by whom: an id.
    did = AuditEntry.objects.get(action="sample.plain")
    assert set(AuditDetail.objects.filter(entry=did).values_list("part", flat=True)) == {"subject"}
    about = AuditEntry.objects.get(action="sample.about")
    assert set(AuditDetail.objects.filter(entry=about).values_list("part", flat=True)) == {"actor"}
    tenant.refresh_from_db()
    assert tenant.owner_email == "other.owner@people.example"
    job = Job.objects.get(name="sample.job")
    assert job.args["whom"] == {"mail": [ERASED_EMAIL]}


def test_an_erased_person_is_listed_as_deleted_and_a_second_call_finds_nobody(tenant: Tenant) -> None:
    person = make_person(tenant)
    client = by_session(make_staff("super_admin"))
    first = delete(client, person, **{"Idempotency-Key": "once"})
    assert delete(client, person, **{"Idempotency-Key": "once"}) == first
    assert delete(client, person)[0] == 404
    listed = client.get("/api/v1/platform/admin/users?status=deleted").json()["data"]
    assert [row["id"] for row in listed] == [person.public_id]


@pytest.mark.parametrize("confirmation", ["", "xanthe", NAME, "other.owner@people.example"])
def test_another_confirmation_is_refused_and_nothing_happens(tenant: Tenant, confirmation: str) -> None:
    person = make_person(tenant)
    status, body = delete(by_session(make_staff("super_admin")), person, confirmation)
    assert (status, list(body["error"]["details"])) == (400, ["confirmation"])
    assert User.objects.filter(pk=person.pk).exists()
    with pytest.raises(ConfirmationWrong):
        erase_user(actor=actor(), user_id=person.pk, confirmation=confirmation)


def test_sole_owner_last_super_admin_and_oneself_are_refused(tenant: Tenant) -> None:
    owner = User.objects.get(email="other.owner@people.example")
    with pytest.raises(SoleOwner, match=tenant.slug):
        erase_user(actor=actor(), user_id=owner.pk, confirmation=owner.email)
    status, body = delete(by_session(make_staff("super_admin")), owner, owner.email)
    assert status == 409
    assert tenant.slug in body["error"]["message"]
    User.objects.exclude(pk=owner.pk).filter(staff__isnull=False).delete()
    last = make_staff("super_admin")
    with pytest.raises(LastSuperAdmin):
        erase_user(actor=actor(), user_id=last.pk, confirmation=last.email)
    with pytest.raises(Yourself):
        erase_user(actor=last.principal(via="x", address=None), user_id=last.pk, confirmation=last.email)
    Membership.objects.create(user=last, tenant=tenant, role="owner")
    erase_user(actor=actor(), user_id=owner.pk, confirmation=owner.email.upper())


@pytest.mark.parametrize(
    "place", ["ledger", "users.sessions", "exports", "audit.details", "columns", "sealed"]
)
def test_job_killed_at_a_part_goes_on_there(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    class Killed(BaseException):
        pass

    person = make_person(tenant)
    erase_user(actor=actor(), user_id=person.pk, confirmation=EMAIL)
    with monkeypatch.context() as patch:
        if place == "ledger":
            patch.setattr(ledger, "record", _dying(Killed))
        elif place in {"columns", "sealed"}:
            patch.setattr(erasing, f"sweep_{place}", _dying(Killed))
        else:
            key = (Subject.USER, place)
            patch.setitem(registry._by_key, key, replace(registry._by_key[key], sweep=_dying(Killed)))
        with pytest.raises(Killed):
            finish_erasure(actor=system("x"), user_id=person.pk)
    half = UserTombstone.objects.get(user_id=person.pk)
    assert half.finished_at is None
    assert f"{place} mentions" not in half.removed
    assert finish_erasures(actor=system("x")) == 1
    assert places_of(*WORDS) == set()
    assert finish_erasures(actor=system("x")) == 0


def _dying(killed: type[BaseException]) -> Callable[..., int]:
    def die(*_: object, **__: object) -> int:
        raise killed

    return die


def test_erasure_is_not_done_before_it_stands_in_the_ledger(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make_person(tenant)
    erase_user(actor=actor(), user_id=person.pk, confirmation=EMAIL)
    with monkeypatch.context() as patch:
        patch.setattr("apps.core.objectstore.local.LocalStore.put", _dying(StoreUnavailable))
        with pytest.raises(StoreUnavailable):
            finish_erasure(actor=system("x"), user_id=person.pk)
    assert UserTombstone.objects.get().finished_at is None
    finish_erasure(actor=system("x"), user_id=person.pk)
    lines = [line for line in ledger.lines() if isinstance(line, ledger.Line)]
    assert [(line.subject, line.subject_id, line.reason_code) for line in lines] == [
        (Subject.USER, person.pk, "request")
    ]


def test_one_that_can_not_be_finished_does_not_keep_the_next_from_it(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = make_person(tenant), make_member(tenant)
    for person in (first, second):
        erase_user(actor=actor(), user_id=person.pk, confirmation=person.email)
    record = ledger.record
    monkeypatch.setattr(
        ledger, "record", lambda line: _refused() if line.subject_id == first.pk else record(line)
    )
    with pytest.raises(ledger.LedgerWrong):
        finish_erasures(actor=system("x"))
    unfinished = UserTombstone.objects.filter(finished_at=None)
    assert [stone.user_id for stone in unfinished] == [first.pk]


def _refused() -> str:
    raise ledger.LedgerWrong


def test_what_a_request_under_way_wrote_after_the_erasure_goes_some_hours_later(tenant: Tenant) -> None:
    person = make_person(tenant)
    own = person.principal(via="console", address=ADDRESS)
    erase_user(actor=actor(), user_id=person.pk, confirmation=EMAIL)
    finish_erasure(actor=actor(), user_id=person.pk)
    with write("sample.late", actor=own, target=tenant.audit_target()) as w:
        w.enqueue("sample.job")
    assert places_of(*WORDS) == {"audit_detail.body", "core_job.actor"}
    assert remove_late(actor=system("x")) == 0
    UserTombstone.objects.update(finished_at=now() - timedelta(hours=4))
    assert remove_late(actor=system("x")) == 1
    assert places_of(*WORDS) == set()
    assert UserTombstone.objects.get().removed["late"] == 2
    assert remove_late(actor=system("x")) == 0
    assert all(report.broken is None for report in verify_all())


@pytest.mark.django_db
def test_nobody_who_was_not_erased_has_an_erasure_to_finish() -> None:
    with pytest.raises(UserNotFound):
        finish_erasure(actor=actor(), user_id=UUID(int=1))


def test_sweep_goes_through_a_table_in_pieces(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.core.erasing.columns._WINDOW", 2)
    monkeypatch.setattr("apps.core.erasing.columns._BATCH", 1)
    changes = [
        StatusChange(tenant=tenant, from_status="trial", to_status="active", actor_id="x", reason=reason)
        for reason in (EMAIL, "nothing", f"from {EMAIL}", "nothing", EMAIL)
    ]
    StatusChange.objects.bulk_create(changes)
    traces = Traces(UUID(int=7), "usr_00000000000000000000000007", (EMAIL,))
    assert sweep_columns(traces, system("x")) == 3
    assert StatusChange.objects.filter(reason__contains=ERASED_EMAIL).count() == 3
    assert sweep_columns(traces, system("x")) == 0


def test_sweep_cuts_what_becomes_too_long_for_its_column(tenant: Tenant) -> None:
    StatusChange.objects.create(
        tenant=tenant, from_status="trial", to_status="active", actor_id="x", reason=f"a@b.co {'x' * 493}"
    )
    Tenant.objects.filter(pk=tenant.pk).update(tags=["kept", f"a@b.co {'x' * 53}"])
    sweep_columns(Traces(UUID(int=7), "usr_00000000000000000000000007", ("a@b.co",)), system("x"))
    assert StatusChange.objects.get().reason == f"{ERASED_EMAIL} {'x' * 478}"
    tenant.refresh_from_db()
    assert tenant.tags == ["kept", f"{ERASED_EMAIL} {'x' * 38}"]


def test_sweep_changes_nothing_where_the_person_is_not(tenant: Tenant) -> None:
    make_person(tenant)
    stranger = Traces(UUID(int=7), "usr_00000000000000000000000007", ("nobody@nowhere.example",), "A")
    assert sweep_columns(stranger, system("x")) == 0
    assert Export.objects.count() == 0
