"""Exports: asked for, made, fetched, ended."""

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.core import mail
from django.db import IntegrityError, transaction

from apps.audit.models import AuditEntry
from apps.core import aspects
from apps.core.clock import now
from apps.core.enums import JobStatus
from apps.core.erasing.traces import Traces
from apps.core.errors import Forbidden
from apps.core.ids import TENANT, new_id, public
from apps.core.jobs import runner
from apps.core.jobs.registry import job_type
from apps.core.models import Job
from apps.core.objectstore import ObjectNotFound, ObjectStore
from apps.core.principal import Principal, PrincipalKind, system
from apps.core.write import Target, write
from apps.exports import selectors, services
from apps.exports.enums import ExportStatus
from apps.exports.errors import (
    ExportKindUnknown,
    ExportNotFound,
    ExportNotReady,
    ExportParamsInvalid,
    LinkInvalid,
)
from apps.exports.links import download_url
from apps.exports.models import Export
from tests.factories import actor, staff_principal

NUMBERS = "tests.numbers"


def ask(principal: Principal | None = None, **options: Any) -> Export:
    return services.request_export(actor=principal or staff_principal("admin"), kind=NUMBERS, **options)


def job_of(export: Export) -> Job:
    return Job.objects.get(unique_key=export.job_key)


def made(export: Export) -> Export:
    """The export after its job has run once, in this process."""
    runner.run(str(job_of(export).id))
    export.refresh_from_db()
    return export


def link(export: Export) -> dict[str, Any]:
    query = parse_qs(urlsplit(str(selectors.facts(export)["download_url"])).query)
    return {"expires": int(query["expires"][0]), "signature": query["signature"][0]}


def fetched(principal: Principal, export: Export, **changes: Any) -> bytes:
    options = {**link(export), **changes}
    _, opened = services.open_download(actor=principal, export_id=export.id, **options)
    return b"".join(opened.chunks)


@pytest.mark.django_db
def test_export_is_asked_for_made_mailed_and_fetched() -> None:
    asker = staff_principal("admin")
    export = ask(asker, params={"text": "=1+1", "number": 2})
    assert export.public_id.startswith("exp_")
    assert selectors.facts(export)["download_url"] is None
    assert (job_of(export).engine, job_of(export).queue) == ("rq", "operator")
    export = made(export)
    assert (export.status, export.rows, export.truncated) == ("ready", 2, False)
    assert job_of(export).result == {"rows": 2, "truncated": False}
    body = fetched(asker, export)
    assert list(csv.reader(io.StringIO(body.decode()))) == [
        ["number", "text", "masked"],
        ["0", "'=1+1", "false"],
        ["1", "'=1+1", "false"],
    ]
    assert export.size == len(body)
    assert export.expires_at is not None
    assert timedelta(hours=23) < export.expires_at - now() <= timedelta(hours=24)
    actions = AuditEntry.objects.order_by("at", "seq").values_list("action", "actor_id")
    assert [found for found in actions if found[0].startswith("export.")] == [
        ("export.request", asker.id),
        ("export.complete", asker.id),
        ("export.download", asker.id),
    ]


@pytest.mark.django_db
def test_mail_goes_to_the_requester_once_and_its_link_works() -> None:
    asker = staff_principal("admin")
    export = made(ask(asker))
    [letter] = Job.objects.filter(name="core.send_mail")
    runner.run(str(letter.id))
    [sent] = mail.outbox
    assert sent.to == [asker.label]
    [address] = [line for line in sent.body.splitlines() if line.startswith("http")]
    assert address == selectors.facts(export)["download_url"]
    assert f"/downloads/exports/{export.public_id}?" in address


@pytest.mark.django_db
def test_json_is_one_array_of_objects() -> None:
    asker = staff_principal("admin")
    assert json.loads(fetched(asker, made(ask(asker, format_="json", params={"number": 0})))) == []
    rows = json.loads(fetched(asker, made(ask(asker, format_="json", params={"number": 2, "text": "=ü"}))))
    assert rows == [
        {"number": 0, "text": "=ü", "masked": False},
        {"number": 1, "text": "=ü", "masked": False},
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(("number", "rows", "truncated"), [(4, 4, False), (5, 5, False), (6, 5, True)])
def test_rows_beyond_the_limit_are_cut_and_said(
    monkeypatch: pytest.MonkeyPatch, number: int, rows: int, truncated: bool
) -> None:
    monkeypatch.setattr("apps.exports.services.MAX_ROWS", type("Five", (), {"get": staticmethod(lambda: 5)}))
    export = made(ask(params={"number": number}))
    assert (export.rows, export.truncated) == (rows, truncated)


@pytest.mark.django_db
def test_request_that_makes_no_sense_is_refused_and_writes_nothing() -> None:
    with pytest.raises(ExportKindUnknown):
        services.request_export(actor=actor(), kind="everything")
    with pytest.raises(ExportParamsInvalid):
        ask(format_="xlsx")
    for powerless in (
        staff_principal("finance"),
        system("job"),
        Principal(kind=PrincipalKind.USER, id="usr_1", roles=frozenset({"super_admin"})),
    ):
        with pytest.raises(Forbidden):
            ask(powerless)
    assert not Export.objects.exists()
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_link_is_bound_to_export_time_and_content() -> None:
    asker = staff_principal("admin")
    export, other = made(ask(asker)), made(ask(asker))
    good = link(export)
    for changes in (
        {"signature": link(other)["signature"]},
        {"signature": good["signature"][:-1] + ("0" if good["signature"][-1] != "0" else "1")},
        {"signature": ""},
        {"expires": good["expires"] + 1},
        {"expires": 0},
    ):
        with pytest.raises(LinkInvalid):
            fetched(asker, export, **changes)
    Export.objects.filter(id=export.id).update(sha256="0" * 64)
    with pytest.raises(LinkInvalid):
        fetched(asker, export, **good)


@pytest.mark.django_db
def test_link_in_other_hands_opens_nothing() -> None:
    asker = staff_principal("admin")
    export = made(ask(asker))
    with pytest.raises(ExportNotFound):
        fetched(staff_principal("admin"), export)
    assert fetched(staff_principal("super_admin"), export)
    assert asker.user_id is not None
    for fewer in ({"ops"}, {"support"}, {"qa"}):
        with pytest.raises(Forbidden):
            fetched(replace(asker, roles=frozenset(fewer)), export)
    assert AuditEntry.objects.filter(action="export.download", outcome="denied").exists()
    assert AuditEntry.objects.filter(action="export.download", outcome="success").count() == 1


@pytest.mark.django_db
def test_support_gets_masked_rows_and_keeps_the_right_to_them() -> None:
    asker = staff_principal("support")
    export = made(ask(asker, params={"number": 1}))
    assert b"true" in fetched(asker, export)
    assert fetched(replace(asker, roles=frozenset({"support", "super_admin"})), export)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fail", "status"), [("refused", "failed"), ("away", "processing"), ("bug", "processing")]
)
def test_failure_that_may_pass_is_tried_again_and_a_refusal_is_not(fail: str, status: str) -> None:
    export = made(ask(params={"fail": fail}))
    assert export.status == status
    for _ in range(5):
        Job.objects.filter(id=job_of(export).id).update(run_at=now())
        made(export)
    assert export.status == ExportStatus.FAILED
    assert export.error
    assert job_of(export).status == JobStatus.FAILED
    assert not Job.objects.filter(name="core.send_mail").exists()


@pytest.mark.django_db
def test_job_run_again_after_the_end_changes_nothing() -> None:
    export = made(ask())
    before = export.ready_at
    Job.objects.filter(id=job_of(export).id).update(status=JobStatus.WAITING, attempts=0)
    assert made(export).ready_at == before
    assert Job.objects.filter(name="core.send_mail").count() == 1


@pytest.mark.django_db
def test_expired_file_can_not_be_fetched_and_is_removed(objects: ObjectStore) -> None:
    asker = staff_principal("admin")
    export = made(ask(asker))
    good = link(export)
    Export.objects.filter(id=export.id).update(expires_at=now() - timedelta(seconds=1))
    with pytest.raises(ExportNotReady):
        fetched(asker, export, **good)
    objects.stat(export.object_key)
    assert services.end_exports(actor=system("exports.end")) == {"expired": 1, "failed": 0, "removed": 1}
    assert services.end_exports(actor=system("exports.end")) == {"expired": 0, "failed": 0, "removed": 0}
    with pytest.raises(ObjectNotFound):
        objects.stat(export.object_key)
    export.refresh_from_db()
    assert (export.status, selectors.facts(export)["download_url"]) == ("expired", None)
    assert job_type("exports.end").every == timedelta(minutes=10)


@pytest.mark.django_db
def test_file_that_no_export_leads_to_is_removed_after_a_day(objects: ObjectStore) -> None:
    stays, gone = made(ask()), made(ask())
    Export.objects.filter(id=stays.id).update(expires_at=now() + timedelta(days=3))
    # As after a restore of the database to before it was asked for.
    Export.objects.filter(id=gone.id).delete()
    objects.put("receipts/other.json", [b"{}"])
    keys = {stat.key for stat in objects.list()}
    assert services.end_exports(actor=system("exports.end"))["removed"] == 0
    with time_machine.travel(now() + timedelta(days=1, minutes=1)):
        assert services.end_exports(actor=system("exports.end"))["removed"] == 1
    assert {stat.key for stat in objects.list()} == keys - {gone.object_key}


@pytest.mark.django_db
def test_link_is_over_with_its_time_even_where_the_file_is_not() -> None:
    asker = staff_principal("admin")
    export = made(ask(asker))
    earlier = now() - timedelta(seconds=5)
    Export.objects.filter(id=export.id).update(expires_at=earlier)
    export.refresh_from_db()
    signature = parse_qs(urlsplit(download_url(export)).query)["signature"][0]
    with pytest.raises(LinkInvalid):
        services.open_download(
            actor=asker, export_id=export.id, expires=int(earlier.timestamp()), signature=signature
        )


@pytest.mark.django_db
def test_file_that_is_gone_is_an_answer_and_no_crash(objects: ObjectStore) -> None:
    asker = staff_principal("admin")
    export = made(ask(asker))
    objects.delete(export.object_key)
    with pytest.raises(ExportNotReady):
        fetched(asker, export)


@pytest.mark.django_db
def test_export_whose_job_died_for_good_is_failed_by_the_sweep() -> None:
    export, young = ask(), ask()
    Job.objects.filter(id=job_of(export).id).update(status=JobStatus.FAILED, finished_at=now())
    Export.objects.filter(id=export.id).update(created_at=now() - timedelta(minutes=6))
    assert services.end_exports(actor=system("exports.end"))["failed"] == 1
    export.refresh_from_db()
    young.refresh_from_db()
    assert (export.status, young.status) == ("failed", "processing")


@pytest.mark.django_db
@pytest.mark.parametrize("status", [ExportStatus.FAILED, ExportStatus.EXPIRED])
def test_job_overtaken_by_the_end_of_its_export_leaves_no_file(objects: ObjectStore, status: str) -> None:
    export = ask()

    def ended_meanwhile(done: int, total: int) -> None:
        if done == total:
            Export.objects.filter(id=export.id).update(status=status, removed_at=now())

    services.build_export(actor=actor(), export_id=export.id, tell=ended_meanwhile)
    assert list(objects.list()) == []


@pytest.mark.django_db
def test_purge_and_erasure_remove_files_and_rows(objects: ObjectStore) -> None:
    tenant_id, asker = new_id(), staff_principal("admin")
    assert asker.user_id is not None
    about_tenant, own = made(ask(tenant_id=tenant_id)), made(ask(asker))
    [of_tenant] = [one for one in aspects.registry.of(aspects.Subject.TENANT) if one.name == "exports"]
    [of_person] = [one for one in aspects.registry.of(aspects.Subject.USER) if one.name == "exports"]
    assert of_tenant.outside is not None
    assert of_tenant.remove is not None
    assert of_person.sweep is not None
    traces = Traces(asker.user_id, asker.id, ("nobody@nowhere.example",))
    for gone in (1, 0):
        of_tenant.outside(tenant_id, system("purge"))
        assert of_tenant.remove(tenant_id, system("purge")) == gone
        assert of_person.sweep(traces, system("erase")) == gone
    assert not Export.objects.filter(id__in=[about_tenant.id, own.id]).exists()
    assert list(objects.list()) == []


@pytest.mark.django_db
def test_export_that_is_made_while_its_tenant_goes_leaves_no_file(objects: ObjectStore) -> None:
    tenant_id = new_id()
    export = ask(tenant_id=tenant_id)

    def purged_meanwhile(done: int, total: int) -> None:
        if not done:
            services.remove_files_of_tenant(tenant_id, system("purge"))

    services.build_export(actor=actor(), export_id=export.id, tell=purged_meanwhile)
    export.refresh_from_db()
    assert (export.status, list(objects.list())) == ("failed", [])


@pytest.mark.django_db
def test_database_refuses_a_ready_export_without_its_file() -> None:
    export = ask()
    with pytest.raises(IntegrityError, match="export_ready_is_whole"), transaction.atomic():
        Export.objects.filter(id=export.id).update(status=ExportStatus.READY)


@pytest.mark.django_db
def test_progress_is_told_while_the_job_runs() -> None:
    told: list[tuple[int, int]] = []
    export = ask(params={"number": 3, "pause": 0.6})
    assert selectors.progress(export) is None
    services.build_export(actor=actor(), export_id=export.id, tell=lambda *how: told.append(how))
    assert told[0] == (0, 3)
    assert told[-1] == (3, 3)
    assert len(told) >= 3
    other = made(ask())
    assert selectors.progress(other) == selectors.Progress(3, 3)


def _trail(number: int, write_one: Callable[[int], None]) -> None:
    for place in range(number):
        write_one(place)


@pytest.mark.django_db
def test_audit_trail_comes_whole_over_its_pages_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.exports.kinds._PAGE", 4)
    tenant_id = new_id()

    def one(place: int) -> None:
        target = Target(type="thing", id=f"thing-{place}", tenant_id=tenant_id if place % 2 else None)
        with write("thing.change", actor=actor(), target=target, reason="=cmd|' /C calc'!A0") as w:
            w.changed(after={"place": place})

    _trail(11, one)
    asker = staff_principal("super_admin")
    export = services.request_export(actor=asker, kind="audit-trail", params={"action": "thing.change"})
    rows = list(csv.DictReader(io.StringIO(fetched(asker, made(export)).decode())))
    assert [row["resource_id"] for row in rows] == [f"thing-{place}" for place in range(10, -1, -1)]
    assert rows[0]["after"] == '{"place":10}'
    assert rows[0]["actor"] == "operator@steward.example"
    assert all(row["reason"].startswith("'=cmd") for row in rows)
    assert {row["tenant_id"] for row in rows} == {"", public(TENANT, tenant_id)}
    of_tenant = services.request_export(
        actor=asker, kind="audit-trail", params={"tenant_id": public(TENANT, tenant_id)}, format_="json"
    )
    actions = [row["action"] for row in json.loads(fetched(asker, made(of_tenant)))]
    assert actions == ["export.request", *["thing.change"] * 5]
    assert of_tenant.tenant_id == tenant_id


@pytest.mark.django_db
@pytest.mark.parametrize(
    "params",
    [
        {"nobody": "knows"}, {"since": "yesterday"}, {"since": "2026-01-01T00:00:00"}, {"action": 7},
        {"action": ""}, {"action": "a\x00"}, {"tenant_id": "42"},
    ],
)  # fmt: skip
def test_audit_trail_with_wrong_parameters_is_refused(params: dict[str, Any]) -> None:
    with pytest.raises(ExportParamsInvalid) as refused:
        services.request_export(actor=staff_principal("super_admin"), kind="audit-trail", params=params)
    assert list(refused.value.details) == list(params)


@pytest.mark.django_db
def test_audit_trail_is_for_those_who_may_read_it() -> None:
    for role in ("admin", "support", "ops"):
        with pytest.raises(Forbidden):
            services.request_export(actor=staff_principal(role), kind="audit-trail")
        assert "audit-trail" not in [kind.name for kind in selectors.kinds_for(staff_principal(role))]
