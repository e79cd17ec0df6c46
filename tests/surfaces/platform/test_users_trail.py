"""The audit trail of a user on the platform surface: filters, masks, CSV."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.audit.models import AuditEntry
from apps.core.clock import iso, now
from apps.core.principal import Principal, PrincipalKind
from apps.core.write import write
from apps.users.models import User
from apps.users.services import UserChanges, update_user
from tests.backoffice.visits import visitor
from tests.factories import actor, make_user
from tests.surfaces.platform.calling import USERS, Caller
from tests.users.support import trail

pytestmark = pytest.mark.django_db

JOHN: dict[str, Any] = {"email": "john.doe@acme.example", "name": "John Doe"}


def past(user: User, *actions: str, address: str = "203.0.113.7", reason: str = "", **change: Any) -> None:
    """Rows of a person's trail."""
    doer = Principal(
        kind=PrincipalKind.STAFF,
        id="usr_00000000000000000000000001",
        label="olga@steward.example",
        address=address,
    )
    for action in actions:
        with write(action, actor=doer, target=user.audit_target(), reason=reason) as w:
            w.changed(**change)


def test_the_trail_shows_what_was_done_to_and_by_the_person() -> None:
    me = Caller("admin")
    user = make_user(**JOHN)
    past(
        user,
        "user.suspend",
        reason="late payment",
        before={"status": "active"},
        after={"status": "suspended"},
    )
    with write(
        "session.end", actor=user.principal(via="accounts", address="198.51.100.1"), target=actor_target()
    ):
        pass
    past(make_user(), "user.suspend")
    look, by, to = me.rows(f"{USERS}/{user.public_id}/audit-trail")
    assert look["action"] == "user.view_audit_trail"  # the look itself is in it
    assert (by["action"], by["actor_id"]) == ("session.end", user.public_id)
    assert to["id"].startswith("aud_")
    assert {key: to[key] for key in ("action", "ip_address", "resource_type", "resource_id", "reason")} == {
        "action": "user.suspend",
        "ip_address": "203.0.113.7",
        "resource_type": "user",
        "resource_id": user.public_id,
        "reason": "late payment",
    }
    assert to["metadata"]["before"] == {"status": "active"}
    assert to["metadata"]["after"] == {"status": "suspended"}
    assert set(to) == {
        "id",
        "action",
        "actor_id",
        "ip_address",
        "resource_type",
        "resource_id",
        "reason",
        "metadata",
        "timestamp",
    }
    assert trail("user.view_audit_trail").resource_id == user.public_id


def actor_target() -> Any:
    return make_user().audit_target()


def test_the_trail_is_filtered_by_action_time_address_and_words() -> None:
    me = Caller("admin")
    user = make_user(**JOHN)
    past(user, "user.suspend", reason='said "stop", 100%', after={"status": "suspended"})
    past(user, "user.unsuspend", "membership.add", address="2001:db8::9", after={"note": "Grüße"})
    address = f"{USERS}/{user.public_id}/audit-trail"

    def actions(**query: Any) -> list[str]:
        own = {"user.suspend", "user.unsuspend", "membership.add"}
        return sorted(row["action"] for row in me.rows(address, **query) if row["action"] in own)

    both = ["user.suspend", "user.unsuspend"]
    everything = ["membership.add", *both]
    assert actions() == everything
    assert actions(action_type="user") == both
    assert actions(action_type="user.suspend") == ["user.suspend"]
    assert actions(action_type="use") == []
    assert actions(ip_address="2001:db8::9") == ["membership.add", "user.unsuspend"]
    assert actions(ip_address="203.0.113.70") == []
    assert actions(search='"STOP"') == ["user.suspend"]
    assert actions(search="100%") == ["user.suspend"]
    assert actions(search="grüsse") == []
    assert actions(search="grüße") == ["membership.add", "user.unsuspend"]
    assert actions(search="membership") == ["membership.add"]
    assert actions(search="olga@") == everything
    assert actions(search="reason") == []  # a key is no value
    assert actions(search="[") == actions(search="\\d") == []
    assert actions(start_time=iso(now() + timedelta(seconds=5))) == []
    assert actions(end_time=iso(now() + timedelta(seconds=5))) == everything
    assert actions(end_time="2020-01-01") == []
    for query in ({"ip_address": "home"}, {"start_time": "yesterday"}, {"format": "xml"}, {"order": "x"}):
        assert me.get(address, **query)[0] == 400


def test_support_reads_the_trail_masked_and_can_not_search_in_it() -> None:
    me = Caller("support")
    user = make_user(**JOHN)
    past(
        user,
        "user.suspend",
        reason="John rang from 203.0.113.7, mail john.doe@acme.example",
        before={"name": "John Doe", "email": "john.doe@acme.example"},
    )
    address = f"{USERS}/{user.public_id}/audit-trail"
    (found,) = [row for row in me.rows(address) if row["action"] == "user.suspend"]
    assert found["ip_address"] == "203.0.113.x"
    assert found["reason"] == "J*** rang from 203.0.113.x, mail j***@acme.example"
    assert found["metadata"]["before"] == {"name": "J*** D***", "email": "j***@acme.example"}
    assert me.rows(address, search="john") == []
    assert [row["action"] for row in me.rows(address, search="suspend")] == ["user.suspend"]
    status, answer = me.get(address, ip_address="203.0.113.7")
    assert status == 400
    assert "ip_address" in answer["error"]["details"]


def test_support_does_not_read_a_name_that_the_person_had_before() -> None:
    user = make_user(**JOHN)
    changes = UserChanges(name="Jane Roe")
    update_user(actor=actor(), user_id=user.pk, changes=changes, reason="John Doe is Jane Roe now")
    me, address = Caller("support"), f"{USERS}/{user.public_id}/audit-trail"
    (found,) = me.rows(address, action_type="user.update")
    assert found["reason"] == "J*** D*** is J*** R*** now"
    text = me.client.get(address, {"format": "csv", "action_type": "user.update"}).getvalue().decode()
    assert "John" not in text
    page = visitor("support").get(f"/backoffice/users/{user.public_id}/?tab=timeline").content.decode()
    assert "John" not in page
    assert "is J*** R*** now" in page


def test_the_trail_as_csv_is_the_same_selection_and_harmless() -> None:
    me = Caller("admin")
    user = make_user(**JOHN)
    past(user, "user.suspend", reason="=HYPERLINK(1)")
    past(user, "user.unsuspend", reason="＋41 then")
    past(user, "membership.add")
    response = me.client.get(f"{USERS}/{user.public_id}/audit-trail?format=csv&action_type=user&search=")
    assert response["Content-Type"].startswith("text/csv")
    assert "attachment" in response["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
    found = {row["action"]: row["reason"] for row in rows}
    assert found == {
        "user.suspend": "'=HYPERLINK(1)",
        "user.unsuspend": "'＋41 then",
        "user.view_audit_trail": "",
    }
    assert json.loads(rows[-1]["metadata"].removeprefix("'"))["outcome"] == "success"
    assert AuditEntry.objects.get(action="user.view_audit_trail").metadata == {"format": "csv"}


def test_pages_of_the_trail_neither_skip_nor_repeat_although_looks_stand_in_it() -> None:
    me, user = Caller("admin"), make_user()
    past(user, *["user.suspend", "user.unsuspend"] * 3)
    path = f"{USERS}/{user.public_id}/audit-trail"
    seen = [row["id"] for offset in range(0, 8, 2) for row in me.rows(path, limit=2, offset=offset)]
    assert len(seen) == len(set(seen)) == 7
    assert AuditEntry.objects.filter(action="user.view_audit_trail").count() == 1
    # Whoever begins in the middle has looked too, and so has everybody for themselves, and again later.
    Caller("admin").rows(path, limit=2, offset=4)
    assert AuditEntry.objects.filter(action="user.view_audit_trail").count() == 2
    with time_machine.travel(now() + timedelta(minutes=11), tick=True):
        me.rows(path, limit=2, offset=2)
    assert AuditEntry.objects.filter(action="user.view_audit_trail").count() == 3


def test_the_trail_is_read_with_a_constant_number_of_queries() -> None:
    me = Caller("admin")
    user = make_user()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            me.rows(f"{USERS}/{user.public_id}/audit-trail", limit=100)
        return len(captured)

    past(user, "user.suspend")
    queries()
    few = queries()
    past(user, *["user.suspend"] * 20)
    assert queries() == few
