"""After a restore from before an erasure, the ledger brings it about again."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from apps.audit.models import AuditEntry
from apps.core.aspects import Subject
from apps.core.erasing import ledger
from apps.core.objectstore import store
from apps.core.principal import system
from apps.tenants.models import Purge, Tenant, TenantTombstone
from apps.tenants.services import run_purge, start_purge
from apps.users.models import Membership, User, UserTombstone
from apps.users.services import erase_user, finish_erasure
from apps.users.services.replay import Outcome, replay_erasures
from tests.factories import actor, make_member, make_staff, make_tenant, make_user


@pytest.fixture(autouse=True)
def _objects(settings: Settings, tmp_path: Path) -> None:
    settings.OBJECT_STORE_ROOT = tmp_path / "objects"


def replay(**options: bool) -> str:
    out = StringIO()
    call_command("erasures_replay", stdout=out, **options)
    return out.getvalue()


def erase(user: User) -> UserTombstone:
    erase_user(actor=actor(), user_id=user.pk, confirmation=user.email)
    finish_erasure(actor=actor(), user_id=user.pk)
    return UserTombstone.objects.get(user_id=user.pk)


def bring_back(user: User, tenant: Tenant) -> None:
    """As a backup from before would."""
    UserTombstone.objects.filter(user_id=user.pk).delete()
    User.objects.create(id=user.pk, email=user.email, name=user.name, password="x")
    Membership.objects.create(user_id=user.pk, tenant=tenant, role="owner")


@pytest.mark.django_db
def test_restored_person_and_tenant_are_erased_again_and_a_second_replay_finds_nothing() -> None:
    tenant, gone = make_tenant(), make_tenant()
    user, other = make_member(tenant, email="restored@people.example"), make_user()
    stone = erase(user)
    started = start_purge(actor=actor(), tenant_id=gone.id)
    run_purge(actor=actor(), purge_id=started.id)
    bring_back(user, tenant)  # as the only owner of a live tenant: it was decided before
    TenantTombstone.objects.all().delete()
    Purge.objects.all().delete()
    again = make_tenant(id=gone.id, slug=gone.slug, status="provisioning")

    assert "2 due" in replay(dry_run=True)
    assert User.objects.filter(pk=user.pk).exists()
    said = replay()
    assert f"{user.public_id}: erased" in said
    assert f"{again.public_id}: erased" in said
    assert not User.objects.filter(pk=user.pk).exists()
    assert not Tenant.objects.filter(id=gone.id).exists()
    assert User.objects.filter(pk=other.pk).exists()
    new = UserTombstone.objects.get(user_id=user.pk)
    assert (new.deleted_at, new.reason_code) == (stone.deleted_at, stone.reason_code)
    assert new.finished_at is not None
    assert TenantTombstone.objects.get(tenant_id=gone.id).slug == gone.slug
    rows = AuditEntry.objects.count()
    assert "2 lines in the ledger: 0 erased again, 0 due, 2 already gone, 0 failed" in replay()
    assert AuditEntry.objects.count() == rows
    assert len(list(ledger.lines())) == 2


@pytest.mark.django_db
def test_erasure_of_which_the_backup_holds_the_first_step_is_finished() -> None:
    user = make_user()
    erase_user(actor=actor(), user_id=user.pk, confirmation=user.email)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("apps.users.services.erasure.sweep_columns", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            finish_erasure(actor=actor(), user_id=user.pk)
    assert [done.outcome for done in replay_erasures(actor=system("x"))] == [Outcome.ERASED]
    assert UserTombstone.objects.get().finished_at is not None


@pytest.mark.django_db
def test_last_super_admin_who_was_erased_is_erased_again() -> None:
    user = make_staff("super_admin")
    make_staff("super_admin")
    erase(user)
    bring_back(user, make_tenant())
    User.objects.exclude(pk=user.pk).delete()
    assert "1 erased again" in replay()


@pytest.mark.django_db
@pytest.mark.parametrize("damage", [b"no json", b"{}", "changed", "renamed"])
def test_line_that_is_not_what_was_signed_is_told_and_the_others_are_replayed(damage: bytes | str) -> None:
    tenant = make_tenant()
    user, other = make_member(tenant, email="a@people.example"), make_user()
    erase(user)
    (line,) = ledger.lines()
    assert isinstance(line, ledger.Line)
    with store().open(line.key) as opened:
        good = b"".join(opened.chunks)
    bad = good.replace(str(user.pk).encode(), str(other.pk).encode()) if damage == "changed" else damage
    store().put(
        line.key.replace(".json", "x.json"),
        [good if damage == "renamed" else bytes(bad)],  # type: ignore[arg-type]
    )
    bring_back(user, tenant)
    with pytest.raises(CommandError, match="Not everything"):
        replay()
    assert not User.objects.filter(pk=user.pk).exists()
    assert User.objects.filter(pk=other.pk).exists()


@pytest.mark.django_db
def test_ledger_holds_ids_and_no_personal_data_and_its_lines_are_never_overwritten() -> None:
    user = make_user(name="Xanthe Wyvern", email="xanthe@people.example")
    stone = erase(user)
    (found,) = list(store().list(ledger.PREFIX))
    with store().open(found.key) as opened:
        text = b"".join(opened.chunks).decode()
    assert str(user.pk) in text
    assert "anthe" not in text
    line = ledger.Line(Subject.USER, user.pk, stone.deleted_at, stone.reason_code)
    assert ledger.record(line) == found.key
    with pytest.raises(ledger.LedgerWrong):
        ledger.record(ledger.Line(Subject.USER, user.pk, stone.deleted_at, "unlawful"))
    assert store().stat(found.key).modified_at == found.modified_at
