"""What is left of a purge: a manifest that counts, and a receipt that anyone can check."""

import base64
import json
import threading
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from apps.audit.models import AuditEntry
from apps.core import aspects
from apps.core.aspects import Aspect, Subject
from apps.core.erasing import ledger
from apps.core.objectstore import StoreUnavailable, store
from apps.core.sealing import SignatureWrong
from apps.tenants.errors import BeingPurged, PurgeIncomplete
from apps.tenants.models import Purge, Tenant, TenantTombstone, Workspace
from apps.tenants.services import resume_purges, run_purge, start_purge
from apps.tenants.services.receipts import issue_receipt, read_receipt, verify_receipt
from apps.users.enums import MembershipRole
from apps.users.models import Membership
from apps.users.services import add_membership, backfill_members
from tests.factories import actor, make_member, make_tenant, make_user, make_workspace


def purged(tenant: Tenant) -> Purge:
    started = start_purge(actor=actor(), tenant_id=tenant.id, reason="asked to")
    run_purge(actor=actor(), purge_id=started.id)
    return Purge.objects.get(id=started.id)


@pytest.mark.django_db
def test_manifest_counts_what_each_store_held_and_that_nothing_remains() -> None:
    tenant = make_tenant()
    make_workspace(tenant)
    make_member(tenant, "owner")
    make_member(tenant)
    manifest = purged(tenant).manifest()
    assert manifest["users.members"] == {"before": 2, "removed": 2, "remaining": 0}
    # Workspace, facts, the change of status that began it, and the tenant itself.
    assert manifest["tenants"] == {"before": 4, "removed": 4, "remaining": 0}
    assert all(line["remaining"] == 0 for line in manifest.values())


@pytest.mark.django_db
def test_receipt_says_what_was_removed_and_is_checked_without_us(tmp_path: Path) -> None:
    tenant = make_tenant()
    purge = purged(tenant)
    text = read_receipt(purge)
    body: dict[str, Any] = json.loads(text)
    receipt = verify_receipt(text, public_key=base64.b64decode(body["public_key"]))
    assert (receipt["tenant_id"], receipt["slug"]) == (tenant.public_id, tenant.slug)
    assert receipt["stores"] == purge.manifest()
    last = AuditEntry.objects.get(action="tenant.purged", tenant_id=tenant.id)
    assert receipt["trail"] == {"chain": last.chain, "seq": last.seq, "hash": bytes(last.hash).hex()}
    assert tenant.owner_email not in text.decode()
    file = tmp_path / "receipt.json"
    file.write_bytes(text)
    out = StringIO()
    call_command("receipt_verify", str(file), stdout=out)
    assert tenant.public_id in out.getvalue()


@pytest.mark.django_db
def test_receipt_that_was_changed_is_refused(tmp_path: Path) -> None:
    text = read_receipt(purged(make_tenant()))
    body = json.loads(text)
    body["receipt"]["stores"]["tenants"]["remaining"] = 1
    for wrong in (json.dumps(body).encode(), b"{}", b"[]", b"no", text.replace(b'"Ed25519"', b'"none"')):
        with pytest.raises(SignatureWrong):
            verify_receipt(wrong)
        file = tmp_path / "wrong.json"
        file.write_bytes(wrong)
        with pytest.raises(CommandError):
            call_command("receipt_verify", str(file))
    with pytest.raises(SignatureWrong):
        verify_receipt(text, public_key=bytes(32))


@pytest.mark.django_db
def test_purge_whose_receipt_could_not_be_stored_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = make_tenant()
    started = start_purge(actor=actor(), tenant_id=tenant.id)
    put = type(store()).put

    def only_ledger(self: Any, key: str, *args: Any, **kwargs: Any) -> Any:
        if key.startswith("receipts/"):
            raise StoreUnavailable
        return put(self, key, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(type(store()), "put", only_ledger)
        with pytest.raises(StoreUnavailable):
            run_purge(actor=actor(), purge_id=started.id)
    assert TenantTombstone.objects.filter(tenant_id=tenant.id).exists()
    assert Purge.objects.get().receipt_sha256 == ""
    run_purge(actor=actor(), purge_id=started.id)
    purge = Purge.objects.get()
    assert store().stat(purge.receipt_key).sha256 == purge.receipt_sha256
    issue_receipt(actor=actor(), purge_id=purge.id)
    assert AuditEntry.objects.filter(action="tenant.purge_receipt").count() == 1
    assert resume_purges(actor=actor()) == 0


@pytest.mark.django_db
def test_nothing_is_removed_before_the_purge_stands_in_the_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = make_tenant()
    make_workspace(tenant)
    started = start_purge(actor=actor(), tenant_id=tenant.id)

    def away(*_: Any, **__: Any) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(type(store()), "put", away)
        with pytest.raises(StoreUnavailable):
            run_purge(actor=actor(), purge_id=started.id)
    assert Workspace.objects.filter(tenant=tenant).exists()
    run_purge(actor=actor(), purge_id=started.id)
    (line,) = ledger.lines()
    assert isinstance(line, ledger.Line)
    assert (line.subject, line.subject_id, line.at) == (Subject.TENANT, tenant.id, started.started_at)


@pytest.mark.django_db
def test_what_is_written_while_stores_are_emptied_is_removed_before_the_tombstone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tenant = make_tenant()
    late = [True]

    def writes_behind(tenant_id: Any, principal: Any) -> int:
        if late.pop() if late else False:
            Membership.objects.create(user=make_user(), tenant_id=tenant_id, role="member")
        return 0

    aspect = Aspect(name="behind", subject=Subject.TENANT, remove=writes_behind, order=2000)
    monkeypatch.setitem(aspects.registry._by_key, (Subject.TENANT, "behind"), aspect)
    started = start_purge(actor=actor(), tenant_id=tenant.id)
    monkeypatch.setattr("apps.tenants.services.purging.left_over", lambda _id: {"users.members": 1})
    with pytest.raises(PurgeIncomplete):
        run_purge(actor=actor(), purge_id=started.id)
    assert Tenant.objects.filter(id=tenant.id).exists()
    monkeypatch.undo()
    removed = run_purge(actor=actor(), purge_id=started.id)
    assert removed["users.members"] == 1
    assert not Membership.objects.filter(tenant_id=tenant.id).exists()


@pytest.mark.django_db
def test_nobody_becomes_a_member_of_a_tenant_that_is_being_purged() -> None:
    tenant = make_tenant()
    person = make_user(email=tenant.owner_email)
    start_purge(actor=actor(), tenant_id=tenant.id)
    with pytest.raises(BeingPurged):
        add_membership(actor=actor(), user_id=person.pk, tenant_id=tenant.id, role=MembershipRole.MEMBER)
    assert backfill_members(actor=actor()) == 0


@pytest.mark.django_db(transaction=True)
def test_membership_that_is_being_added_holds_back_the_start_of_a_purge(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tenant, person = make_tenant(), make_user()
    inside, go_on, begun = threading.Event(), threading.Event(), threading.Event()
    create = Membership.objects.create

    def slow(**fields: Any) -> Membership:
        inside.set()
        go_on.wait(10)
        return create(**fields)

    monkeypatch.setattr(Membership.objects, "create", slow)

    def add() -> None:
        add_membership(actor=actor(), user_id=person.pk, tenant_id=tenant.id, role=MembershipRole.MEMBER)
        connections.close_all()

    def purge() -> None:
        start_purge(actor=actor(), tenant_id=tenant.id)
        begun.set()
        connections.close_all()

    threads = [threading.Thread(target=add), threading.Thread(target=purge)]
    threads[0].start()
    assert inside.wait(10)
    threads[1].start()
    assert not begun.wait(0.5)
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert begun.is_set()
    run_purge(actor=actor(), purge_id=Purge.objects.get().id)
    assert not Membership.objects.filter(tenant_id=tenant.id).exists()
    assert Purge.objects.get().manifest()["users.members"]["before"] == 1
