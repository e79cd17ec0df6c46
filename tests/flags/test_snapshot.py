"""The snapshot of a process: loaded, swapped, kept when the database is away."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pytest_django import Settings

from apps.core import live
from apps.core.clock import now
from apps.flags import services, stored
from apps.flags.engine import Reason
from apps.flags.errors import FlagsUnavailable
from apps.flags.models import Flag
from apps.flags.services import OverrideFields
from apps.flags.snapshot import Holder, holder
from apps.tenants.models import Purge, TenantTombstone
from apps.tenants.services import suspend_tenant
from tests.factories import actor, make_flag, make_override, make_segment, make_tenant

STORED = pytest.mark.django_db(transaction=True)


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "did not come true within 60 s"
        time.sleep(0.01)


def reason(tenant: str, key: str = "checkout", **context: Any) -> Reason:
    found = holder.current().evaluate(key, tenant, context, at=time.time())
    assert found is not None
    return found.reason


@STORED
def test_what_stands_in_the_database_is_loaded() -> None:
    tenant, other = make_tenant(country="DE"), make_tenant()
    make_segment()
    rules = [{"conditions": [{"segment": "europeans"}], "variation": "on"}]
    flag = make_flag(rules=rules)
    make_override(make_flag("two"), other, expires_at=now() + timedelta(hours=1))

    assert reason(tenant.public_id) == Reason.RULE_MATCH
    assert reason(other.public_id) == Reason.DEFAULT_DISABLED
    assert reason(other.public_id, "two") == Reason.OVERRIDE_ENABLED
    assert holder.current().facts(tenant.public_id)["plan"] == "starter"
    assert len(holder.current()) == 2
    assert not holder.stale()
    assert flag.key in holder.current()


@STORED
def test_a_change_is_seen_here_at_once_and_elsewhere_soon() -> None:
    tenant = make_tenant()
    make_flag()
    elsewhere = Holder()
    first = elsewhere.current()
    assert reason(tenant.public_id) == Reason.DEFAULT_DISABLED
    services.update_flag(actor=actor(), key="checkout", fields={"defaultEnabled": True})
    assert reason(tenant.public_id) == Reason.DEFAULT_ENABLED
    eventually(lambda: elsewhere.current().revision != first.revision)
    assert first.definitions["checkout"].default_enabled is False
    elsewhere.pin(first)


@STORED
def test_a_flag_that_was_not_heard_of_yet_is_loaded_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = Holder()
    monkeypatch.setattr(own, "_heard", lambda *_: None)
    assert "new" not in own.current()
    services.create_flag(actor=actor(), key="new", fields={})
    assert "new" not in own.current()
    assert "new" in own.current_with(["new"])
    own.pin(own.current())


@STORED
def test_a_tenant_that_changes_is_seen_without_a_write_on_flags() -> None:
    tenant = make_tenant(status="active")
    rules = [
        {"conditions": [{"attribute": "status", "operator": "equals", "value": "active"}], "variation": "on"}
    ]
    make_flag(rules=rules)
    before = holder.current().revision
    assert reason(tenant.public_id) == Reason.RULE_MATCH
    suspend_tenant(actor=actor(), tenant_id=tenant.id, reason="unpaid")
    eventually(lambda: reason(tenant.public_id) == Reason.DEFAULT_DISABLED)
    assert holder.current().revision != before


@STORED
def test_watchers_have_prepared_a_snapshot_before_it_is_in_force() -> None:
    make_flag()
    own = Holder()
    seen: list[tuple[str, bool]] = []
    own.watch(lambda snapshot: seen.append((snapshot.revision, own.is_empty)))
    own.current()
    assert seen == [(own.current().revision, True)]
    own.pin(own.current())


@STORED
def test_one_row_that_makes_no_sense_does_not_keep_the_others_away() -> None:
    make_flag()
    make_flag("broken", rules=[{"conditions": [{"segment": "gone"}], "variation": "on"}])
    assert "checkout" in holder.current()
    assert "broken" not in holder.current()


def away(*_: Any, **__: Any) -> Any:
    raise psycopg.OperationalError("away")


@STORED
def test_with_the_database_away_the_last_snapshot_serves_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = make_tenant()
    make_flag(default_enabled=True)
    own = Holder()
    own.current()
    own._hang_up()
    monkeypatch.setattr(live, "open_link", away)
    with pytest.raises(psycopg.OperationalError):
        own._heard(0, 10_000)
    assert own.stale()
    found = own.current().evaluate("checkout", tenant.public_id, {}, at=time.time())
    assert found is not None
    assert found.enabled
    own.pin(own.current())


@STORED
def test_a_process_that_starts_without_the_database_begins_with_the_file(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
) -> None:
    settings.FLAGS_SNAPSHOT_FILE = str(tmp_path / "below" / "flags.json")
    tenant = make_tenant(country="FR")
    make_segment()
    make_flag(rules=[{"conditions": [{"segment": "europeans"}], "variation": "on"}])
    make_override(make_flag("two"), tenant)
    kept = holder.current().bootstrap(tenant.public_id, {}, at=time.time())
    eventually(Path(settings.FLAGS_SNAPSHOT_FILE).exists)

    monkeypatch.setattr(live, "open_link", away)
    started = Holder()
    assert started.current().bootstrap(tenant.public_id, {}, at=time.time()) == kept
    assert started.stale()

    monkeypatch.undo()
    settings.FLAGS_SNAPSHOT_FILE = ""
    started.refresh()
    assert not started.stale()
    started.pin(started.current())


def test_without_the_database_and_without_a_file_nothing_is_made_up(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path
) -> None:
    monkeypatch.setattr(live, "open_link", away)
    for name, content in (("none", None), ("broken", "{"), ("foreign", json.dumps({"format": 99}))):
        path = tmp_path / name
        if content is not None:
            path.write_text(content)
        settings.FLAGS_SNAPSHOT_FILE = str(path)
        with pytest.raises(FlagsUnavailable):
            Holder().current()


def test_a_folder_that_can_not_be_written_disturbs_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    rows = stored.Rows((1, 1), ("", ""), 0.0, [], [], [], {})
    stored.write_file(str(tmp_path / "file" / "flags.json"), rows)


def test_a_file_holds_any_number_of_tenants_and_is_written_by_one(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    tenants: dict[str, Any] = {
        f"tnt_{number}": ["pro", "active", [], "DE", "x\u2028y"] for number in range(4_001)
    }
    rows = stored.Rows((1, 1), ("a", "b"), 0.0, [], [], [], tenants, 7)
    stored.write_file(str(path), rows)
    assert stored.read_file(str(path)) == rows
    first = path.stat().st_ino
    stored.write_file(str(path), rows)
    assert path.stat().st_ino == first
    later = replace(rows, versions=(2, 1), stamps=("c", "b"), tenants={})
    stored.write_file(str(path), later)
    assert stored.read_file(str(path)) == later


@pytest.mark.django_db
def test_the_open_transaction_can_be_served() -> None:
    Flag.objects.create(
        key="checkout", variations=[{"key": "on", "value": True}, {"key": "off", "value": False}], salt="s"
    )
    holder.pin_present()
    assert "checkout" in holder.current()
    assert not holder.stale()


@STORED
def test_an_override_set_through_the_service_is_in_force_at_once() -> None:
    tenant = make_tenant()
    make_flag()
    assert reason(tenant.public_id) == Reason.DEFAULT_DISABLED
    services.set_override(
        actor=actor(), key="checkout", tenant_id=tenant.id, fields=OverrideFields(enabled=True)
    )
    assert reason(tenant.public_id) == Reason.OVERRIDE_ENABLED


@STORED
def test_flags_that_change_do_not_load_the_tenants_again_and_tenants_that_change_do() -> None:
    tenant = make_tenant()
    services.create_flag(actor=actor(), key="checkout", fields={})
    suspend_tenant(actor=actor(), tenant_id=tenant.pk, reason="a test")
    own = Holder()
    own.refresh()
    first = own._rows
    assert first is not None
    services.update_flag(actor=actor(), key="checkout", fields={"defaultEnabled": True})
    own.refresh()
    second = own._rows
    assert second is not None
    assert second.tenants is first.tenants
    assert own.current().definitions["checkout"].default_enabled
    suspend_tenant(actor=actor(), tenant_id=make_tenant().pk, reason="a test")
    own.refresh()
    assert own._rows is not None
    assert len(own._rows.tenants) == len(first.tenants) + 1
    own.pin(own.current())


@STORED
def test_a_write_that_changes_many_flags_is_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tenant, build, built = make_tenant(), stored.build, []
    for key in ("a", "b", "c"):
        make_flag(key)
    holder.current()

    def counted(*given: Any, **options: Any) -> Any:
        built.append(1)
        return build(*given, **options)

    monkeypatch.setattr(stored, "build", counted)
    services.set_overrides_of_tenant(
        actor=actor(), tenant_id=tenant.id, enabled={"a": True, "b": True, "c": True}
    )
    assert reason(tenant.public_id, "c") == Reason.OVERRIDE_ENABLED
    assert built == [1]


@STORED
def test_of_tenants_that_change_only_these_are_read_and_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    same, other = make_tenant(country="DE"), make_tenant(status="active")
    own = Holder()
    own.refresh()
    first = own.current().known
    asked: list[str] = []
    read = stored.read

    def listened(fetch: stored.Fetch, **options: Any) -> stored.Rows:
        def noted(sql: str) -> Sequence[tuple[Any, ...]]:
            asked.append(sql)
            return fetch(sql)

        return read(noted, **options)

    monkeypatch.setattr(stored, "read", listened)
    suspend_tenant(actor=actor(), tenant_id=other.pk, reason="a test")
    own.refresh()
    second = own.current().known
    assert stored._TENANTS not in asked
    assert second[same.public_id] is first[same.public_id]
    assert (first[other.public_id]["status"], second[other.public_id]["status"]) == ("active", "suspended")

    fresh = make_tenant()
    suspend_tenant(actor=actor(), tenant_id=fresh.pk, reason="a test")
    own.refresh()
    assert own.current().known.keys() == {same.public_id, other.public_id, fresh.public_id}
    assert stored._TENANTS not in asked
    own.pin(own.current())


@STORED
@pytest.mark.parametrize("is_told", [True, False])
def test_a_tenant_that_has_gone_and_one_that_has_come_are_both_seen(
    is_told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A purge leaves a tombstone, and nobody else is read for it. What a hand deletes does not."""
    gone, stays = make_tenant(), make_tenant(status="active")
    own = Holder()
    own.refresh()
    if is_told:
        monkeypatch.setattr(stored, "_TENANTS", "not asked")
        purge = Purge.objects.create(tenant_id=gone.id, slug=gone.slug)
        TenantTombstone.objects.create(tenant_id=gone.id, slug=gone.slug, purge=purge)
    with live.open_link() as link:
        link.execute("DELETE FROM tenants_facts WHERE tenant_id = %s", [gone.pk])
        link.execute("DELETE FROM tenants_tenant WHERE id = %s", [gone.pk])
    came = make_tenant()
    suspend_tenant(actor=actor(), tenant_id=stays.pk, reason="a test")
    own.refresh()
    assert own.current().known.keys() == {stays.public_id, came.public_id}
    assert own.current().facts(stays.public_id)["status"] == "suspended"
    own.pin(own.current())


@STORED
def test_a_tenant_whose_change_was_under_way_while_others_were_read_is_read_later() -> None:
    slow, quick = make_tenant(status="active"), make_tenant(status="active")
    own = Holder()
    with live.open_link() as link:
        with link.transaction():
            link.execute("UPDATE tenants_tenant SET country = 'FR' WHERE id = %s", [slow.pk])
            own.refresh()
            suspend_tenant(actor=actor(), tenant_id=quick.pk, reason="a test")
            own.refresh()
            assert own.current().facts(slow.public_id)["country"] != "FR"
        # A change of flags alone does not read tenants, and must not forget that one is to be read.
        services.create_flag(actor=actor(), key="checkout", fields={})
        own.refresh()
        suspend_tenant(actor=actor(), tenant_id=make_tenant(status="active").pk, reason="a test")
        own.refresh()
    assert own.current().facts(slow.public_id)["country"] == "FR"
    assert own.current().facts(quick.public_id)["status"] == "suspended"
    own.pin(own.current())


@STORED
def test_what_is_taken_over_from_the_last_snapshot_answers_as_what_is_made_anew() -> None:
    tenant, other = make_tenant(country="DE"), make_tenant(country="FR")
    make_segment()
    make_flag("by-segment", rules=[{"conditions": [{"segment": "europeans"}], "variation": "on"}])
    make_flag("needing", default_enabled=True, prerequisites=[{"key": "plain", "variation": "on"}])
    services.create_flag(actor=actor(), key="plain", fields={})
    own = Holder()

    def check() -> None:
        own.refresh()
        anew = Holder()
        anew.refresh()
        for each in (tenant, other):
            at = time.time()
            found, expected = (
                holding.current().bootstrap(each.public_id, {}, at=at) for holding in (own, anew)
            )
            assert found == expected
        anew.pin(anew.current())

    check()
    services.update_flag(actor=actor(), key="plain", fields={"defaultEnabled": True})
    check()
    made = own.current().compiled
    services.set_override(
        actor=actor(), key="plain", tenant_id=tenant.pk, fields=OverrideFields(enabled=False)
    )
    check()
    assert own.current().compiled["by-segment"] is made["by-segment"]
    assert own.current().compiled["plain"] is not made["plain"]
    fresh = [{"attribute": "country", "operator": "equals", "value": "FR"}]
    services.update_segment(actor=actor(), key="europeans", conditions=fresh)
    check()
    services.archive_flag(actor=actor(), key="plain")
    check()
    services.create_flag(actor=actor(), key="another", fields={"rollout": {"percentage": 50}})
    check()
    own.pin(own.current())


@STORED
def test_a_database_restored_to_the_same_revision_has_another_one_here() -> None:
    make_flag()
    own = Holder()
    own.refresh()
    before = own.current().revision
    with live.open_link() as link:
        link.execute(
            "INSERT INTO core_live_topic (name, revision, changed_at) VALUES (%s, 0, now())", ["flags"]
        )
    own.refresh()
    assert own.current().revision.partition("-")[0] == before.partition("-")[0]
    assert own.current().revision != before
    own.pin(own.current())
