"""The chained trail: what it holds, and that no change of it goes unseen."""

from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction

from apps.audit.models import AuditDetail, AuditEntry, AuditHead
from apps.audit.verification import Break, verify_all
from apps.core.ids import new_id
from apps.core.write import Target, write
from apps.core.write.unit import AuditUnavailable
from apps.plans.models import Plan
from tests.database import owner_link
from tests.factories import actor, get_plan


def write_rows(count: int, *, tenant_id: Any = None) -> None:
    for number in range(count):
        target = Target(type="thing", id=f"thing-{number}", tenant_id=tenant_id, person_id=new_id())
        with write("thing.change", actor=actor(), target=target, reason="asked by Ünal") as w:
            w.changed(before={"size": number}, after={"size": number + 1, "rate": 1.5, "name": "Jürgen"})
            w.note(number=number, ratio=0.1, big=10**15)


def _platform() -> Break | None:
    (report,) = verify_all("platform")
    return report.broken


@pytest.mark.django_db
def test_write_one_outermost_appends_one_row_with_all_its_facts() -> None:
    write_rows(1)
    entry = AuditEntry.objects.get()
    assert (entry.chain, entry.seq, entry.action, entry.outcome) == ("platform", 1, "thing.change", "success")
    assert entry.metadata == {"number": 0, "ratio": 0.1, "big": 10**15}
    assert (entry.actor_id, entry.via) == ("usr_00000000000000000000000000", "backoffice")
    details = {detail.part: detail.body for detail in entry.details.all()}
    assert "operator@steward.example" in details["actor"]
    assert "203.0.113.9" in details["actor"]
    assert "asked by Ünal" in details["subject"]
    assert _platform() is None


@pytest.mark.django_db
def test_chain_of_a_tenant_counts_for_itself() -> None:
    tenant = new_id()
    write_rows(2)
    write_rows(3, tenant_id=tenant)
    assert {(report.chain, report.rows) for report in verify_all()} == {
        ("platform", 2),
        (f"tenant:{tenant}", 3),
    }


@pytest.mark.django_db
def test_write_nested_appends_only_the_outer_row() -> None:
    target = Target(type="thing", id="one")
    with write("outer", actor=actor(), target=target), write("inner", actor=actor(), target=target) as inner:
        inner.note(seen=True)
    assert list(AuditEntry.objects.values_list("action", "metadata")) == [("outer", {"seen": True})]


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["audit_entry", "audit_detail", "audit_head"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {}"])
def test_application_role_changing_the_trail_is_refused(table: str, statement: str) -> None:
    write_rows(1)
    sql = statement.format(table)
    if table == "audit_head":
        sql = sql.replace("id = id", "seq = 0")
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        connection.cursor().execute(sql)


@pytest.mark.django_db
def test_application_role_inserting_past_the_function_is_refused() -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        AuditHead.objects.create(chain="platform", seq=1, hash=b"x")


TAMPERS: dict[str, tuple[str, int]] = {
    "edited action": ("UPDATE audit_entry SET action = 'other' WHERE seq = 3", 3),
    "edited time": ("UPDATE audit_entry SET at = at + interval '1 microsecond' WHERE seq = 2", 2),
    "edited metadata": ("UPDATE audit_entry SET metadata = '{}' WHERE seq = 4", 4),
    "edited tenant": ("UPDATE audit_entry SET tenant_id = gen_random_uuid() WHERE seq = 5", 5),
    "edited hash": ("UPDATE audit_entry SET hash = sha256('x') WHERE seq = 3", 3),
    "deleted row": (
        (
            "DELETE FROM audit_detail WHERE entry_id = (SELECT id FROM audit_entry WHERE seq = 2);"
            "DELETE FROM audit_entry WHERE seq = 2"
        ),
        2,
    ),
    "swapped rows": (
        (
            "UPDATE audit_entry SET seq = -1 WHERE seq = 2; UPDATE audit_entry SET seq = 2 WHERE seq = 3;"
            "UPDATE audit_entry SET seq = 3 WHERE seq = -1"
        ),
        2,
    ),
    "cut tail": (
        (
            "DELETE FROM audit_detail WHERE entry_id = (SELECT id FROM audit_entry WHERE seq = 5);"
            "DELETE FROM audit_entry WHERE seq = 5"
        ),
        5,
    ),
    "edited reason": (
        (
            "UPDATE audit_detail SET body = replace(body, 'asked', 'told') WHERE part = 'subject' AND entry_id = "
            "(SELECT id FROM audit_entry WHERE seq = 4)"
        ),
        4,
    ),
    "edited actor": (
        (
            "UPDATE audit_detail SET body = '{}' WHERE part = 'actor' AND entry_id = "
            "(SELECT id FROM audit_entry WHERE seq = 1)"
        ),
        1,
    ),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", TAMPERS)
def test_trail_tampered_with_by_the_owner_is_found_at_its_row(how: str) -> None:
    write_rows(5)
    assert _platform() is None
    statements, seq = TAMPERS[how]
    with owner_link(connection.settings_dict["NAME"]) as link:
        for statement in statements.split(";"):
            link.execute(statement)
    broken = _platform()
    assert broken is not None
    assert broken.seq == seq


@pytest.mark.django_db(transaction=True)
def test_detail_that_was_shredded_leaves_the_chain_intact() -> None:
    write_rows(3)
    with owner_link(connection.settings_dict["NAME"]) as link:
        link.execute("DELETE FROM audit_detail WHERE part = 'subject'")
    assert AuditDetail.objects.count() == 3
    assert _platform() is None


@pytest.mark.django_db
def test_write_when_the_trail_refuses_changes_nothing() -> None:
    plan = get_plan("starter")
    target = Target(type="thing", id="x" * 500)  # longer than the column
    with pytest.raises(AuditUnavailable), write("plan.rename", actor=actor(), target=target):
        Plan.objects.filter(pk=plan.pk).update(name="Changed")
    plan.refresh_from_db()
    assert plan.name != "Changed"
    assert not AuditEntry.objects.exists()
