"""Audit: every row is proved while it is looked at."""

import pytest
from django.db import connection

from apps.audit.admin.proof import verdict
from apps.audit.models import AuditEntry
from apps.core.write import Target, write
from tests.backoffice.visits import visitor
from tests.database import owner_link
from tests.factories import actor

TAMPERS = {
    "content": ("UPDATE audit_entry SET action = 'other' WHERE seq = 2", 2, "Its content was changed"),
    "row before": ("UPDATE audit_entry SET hash = sha256('x') WHERE seq = 1", 2, "It does not follow"),
    "reason": (
        "UPDATE audit_detail SET body = replace(body, 'asked', 'told') WHERE part = 'subject'",
        2,
        "The personal detail of its subject was changed",
    ),
}


def entries() -> None:
    for number in range(3):
        with write(
            "thing.change", actor=actor(), target=Target(type="thing", id=str(number)), reason="asked"
        ) as w:
            w.changed(
                before={"size": number, "terms": {"users": 1}}, after={"size": 9, "terms": {"users": 2}}
            )


@pytest.mark.django_db
def test_intact_row_says_so_with_what_changed() -> None:
    entries()
    entry = AuditEntry.objects.get(seq=2)
    page = visitor("super_admin").get(f"/backoffice/audit/{entry.id}/").content.decode()
    assert ">intact<" in page
    assert bytes(entry.hash).hex() in page
    assert "terms.users" in page
    around = visitor("super_admin").get(f"/backoffice/audit/{entry.id}/?tab=around").content.decode()
    assert around.count('class="sw-event ') == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", TAMPERS)
def test_row_tampered_with_says_what_is_wrong(how: str) -> None:
    entries()
    statement, seq, sentence = TAMPERS[how]
    with owner_link(connection.settings_dict["NAME"]) as link:
        link.execute(statement)
    intact, said = verdict(AuditEntry.objects.get(seq=seq))
    assert not intact
    assert said.startswith(sentence)


@pytest.mark.django_db(transaction=True)
def test_list_marks_a_row_whose_content_was_changed() -> None:
    entries()
    with owner_link(connection.settings_dict["NAME"]) as link:
        link.execute("UPDATE audit_entry SET action = 'other' WHERE seq = 2")
    page = visitor("super_admin").get("/backoffice/audit/").content.decode()
    assert "#2 broken" in page
    assert "#1 broken" not in page
