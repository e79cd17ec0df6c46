"""GET /users: filters, orderings, pages, roles, masks."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.clock import iso, now
from apps.tenants.enums import TenantStatus
from apps.users.models import Membership, User, UserTombstone
from tests.factories import make_member, make_tenant, make_user
from tests.surfaces.platform.calling import USERS, Caller

pytestmark = pytest.mark.django_db


def ids_of(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


def test_a_row_shows_the_oldest_live_membership() -> None:
    me = Caller()
    gone = make_tenant("pro", status=TenantStatus.CANCELLED)
    older, newer = make_tenant("growth"), make_tenant("enterprise")
    user = make_user(last_login=now())
    for days, tenant, role in ((30, gone, "owner"), (20, older, "admin"), (10, newer, "member")):
        row = Membership.objects.create(user=user, tenant=tenant, role=role)
        Membership.objects.filter(pk=row.pk).update(created_at=now() - timedelta(days=days))
    (found,) = me.rows(USERS, search=user.email)
    assert found == {
        "id": user.public_id,
        "email": user.email,
        "name": user.name,
        "role": "admin",
        "tenant_id": older.public_id,
        "status": "active",
        "plan": "growth",
        "created_at": iso(user.created_at),
        "last_login": iso(user.last_login) if user.last_login else None,
    }


def test_a_person_without_tenant_has_nulls() -> None:
    me = Caller()
    user = make_user()
    (found,) = me.rows(USERS, search=user.public_id)
    assert (found["role"], found["tenant_id"], found["plan"], found["last_login"]) == (None, None, None, None)


@pytest.mark.parametrize(
    ("search", "hit"),
    [
        ("grace.hopper@navy.example", True),
        ("GRACE.HOP", True),
        ("hopper@na", True),
        ("race Hop", True),
        ("gr", True),
        ("op", False),  # two letters: only at the beginning
        ("100%", False),
        ("_race", False),
        ("grace.hopper@navy.examples", False),
    ],
)
def test_search_finds_prefixes_and_parts_in_any_case(search: str, hit: bool) -> None:
    me = Caller()
    grace = make_user(email="grace.hopper@navy.example", name="Grace Hopper")
    make_user(email="alan@bletchley.example", name="Alan Turing")
    assert ids_of(me.rows(USERS, search=search)) == ([grace.public_id] if hit else [])


def test_search_finds_ids_and_their_beginnings() -> None:
    me = Caller()
    user = make_user()
    assert ids_of(me.rows(USERS, search=user.public_id)) == [user.public_id]
    assert ids_of(me.rows(USERS, search=user.public_id.lower())) == [user.public_id]
    assert user.public_id in ids_of(me.rows(USERS, search=user.public_id[:-3]))
    assert me.rows(USERS, search="usr_7ZZZZZZ") == []
    assert me.rows(USERS, search="usr_ZZZZ") == []


def test_search_by_text_can_use_the_trigram_index() -> None:
    me = Caller()
    with CaptureQueriesContext(
        connection,
    ) as captured:
        me.rows(USERS, search="hopper")
    (select,) = [
        query["sql"] for query in captured if 'UPPER("users_user"."email"::text) LIKE' in query["sql"]
    ]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")
        cursor.execute("EXPLAIN " + select.replace("%", "%%") if "%s" in select else "EXPLAIN " + select)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "user_search" in plan


def test_filters_of_role_plan_and_tenant_ask_the_membership_shown() -> None:
    me = Caller()
    one, other = make_tenant("growth"), make_tenant("pro")
    owner = make_member(one, "owner")
    member = make_member(one, "member")
    both = make_member(one, "owner")
    Membership.objects.create(user=both, tenant=other, role="member")
    everyone = {owner.public_id, member.public_id, both.public_id}

    assert set(ids_of(me.rows(USERS, role="owner"))) == {owner.public_id, both.public_id}
    assert ids_of(me.rows(USERS, role="member")) == [member.public_id]
    assert set(ids_of(me.rows(USERS, plan="growth"))) == everyone
    assert me.rows(USERS, plan="pro") == []
    assert me.rows(USERS, plan="no-such-plan") == []
    assert set(ids_of(me.rows(USERS, tenant_id=one.public_id))) == everyone
    (found,) = me.rows(USERS, tenant_id=other.public_id)
    assert (found["id"], found["role"], found["plan"]) == (both.public_id, "member", "pro")
    assert ids_of(me.rows(USERS, tenant_id=other.public_id, role="member", plan="pro")) == [both.public_id]
    assert me.rows(USERS, tenant_id=other.public_id, role="owner") == []
    assert me.rows(USERS, tenant_id=other.public_id.replace("tnt_", "tn_"))


def test_the_filter_of_status_shows_blocked_before_suspended() -> None:
    me = Caller()
    suspended = make_user(suspended_at=now())
    blocked = make_user(blocked_at=now(), suspended_at=now())
    assert ids_of(me.rows(USERS, status="suspended")) == [suspended.public_id]
    assert ids_of(me.rows(USERS, status="blocked")) == [blocked.public_id]
    assert ids_of(me.rows(USERS, status="active")) == [me.user.public_id]


def test_deleted_lists_tombstones() -> None:
    me = Caller()
    tombstone = UserTombstone.objects.create(user_id=make_user().pk)
    tombstone.refresh_from_db()
    status, answer = me.get(USERS, status="deleted", ordering="-last_login")
    assert status == 200
    assert answer["pagination"]["total"] == 1
    (found,) = answer["data"]
    assert found["status"] == "deleted"
    assert found["deleted_at"] == iso(tombstone.deleted_at)
    assert found["email"] is found["name"] is found["created_at"] is None
    assert me.rows(USERS, status="deleted", search=found["id"])
    assert me.rows(USERS, status="deleted", search="somebody") == []
    assert me.rows(USERS, status="deleted", role="owner") == []
    assert Caller("qa").rows(USERS, status="deleted") == []


def test_orderings_put_those_who_never_signed_in_last() -> None:
    me = Caller()
    early = make_user(last_login=now() - timedelta(days=9), email="b@people.example")
    late = make_user(last_login=now(), email="a@people.example")
    never = make_user(email="c@people.example")
    others = {"search": "@people.example"}
    User.objects.filter(pk=me.user.pk).update(email="me@steward.example")
    assert ids_of(me.rows(USERS, ordering="-last_login", **others)) == [
        late.public_id,
        early.public_id,
        never.public_id,
    ]
    assert ids_of(me.rows(USERS, ordering="last_login", **others)) == [
        early.public_id,
        late.public_id,
        never.public_id,
    ]
    by_email = [row["email"] for row in me.rows(USERS, ordering="email")]
    assert by_email == sorted(by_email)
    assert ids_of(me.rows(USERS))[0] == never.public_id


def test_pages_neither_skip_nor_repeat() -> None:
    me = Caller()
    moment = now()
    made = {make_user(created_at=moment).public_id for _ in range(7)} | {me.user.public_id}
    seen: list[str] = []
    for offset in range(0, 9, 3):
        status, answer = me.get(USERS, limit=3, offset=offset)
        assert status == 200
        assert answer["pagination"]["total"] == 8
        assert answer["pagination"]["has_more"] is (offset < 6)
        seen += ids_of(answer["data"])
    assert len(seen) == 8
    assert set(seen) == made


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"offset": "-1"}, "offset"),
        ({"status": "gone"}, "status"),
        ({"role": "super_admin"}, "role"),
        ({"tenant_id": "acme"}, "tenant_id"),
        ({"ordering": "name"}, "ordering"),
        ({"colour": "red"}, "colour"),
        ({"search": "x" * 255}, "search"),
    ],
)
def test_a_wrong_parameter_is_named(query: dict[str, str], field: str) -> None:
    status, answer = Caller().get(USERS, **query)
    assert status == 400
    assert answer["success"] is False
    assert answer["error"]["code"] == "VALIDATION_ERROR"
    assert field in answer["error"]["details"]
    assert answer["error"]["request_id"]


def test_support_sees_masks_and_finds_by_whole_address_or_id_alone() -> None:
    me = Caller("support")
    user = make_member(make_tenant(), email="grace.hopper@navy.example", name="Grace Hopper")
    (found,) = me.rows(USERS, search="Grace.Hopper@navy.example")
    assert (found["email"], found["name"]) == ("g***@navy.example", "G*** H***")
    assert ids_of(me.rows(USERS, search=user.public_id)) == [user.public_id]
    for part in ("grace", "Hopper", "grace.hopper@navy", user.public_id[:-1]):
        assert me.rows(USERS, search=part) == []
    body = me.client.get(USERS).content.decode()
    assert "hopper" not in body.lower()


def test_support_can_not_order_by_address() -> None:
    me = Caller("support")
    for ordering in ("email", "-email"):
        status, answer = me.get(USERS, ordering=ordering)
        assert status == 400
        assert "ordering" in answer["error"]["details"]
    assert me.get(USERS, ordering="-last_login")[0] == 200


def test_support_who_is_admin_too_reads_in_clear() -> None:
    user = make_user()
    (found,) = Caller("support", "admin").rows(USERS, search=user.email)
    assert found["email"] == user.email


def test_qa_sees_people_of_test_tenants_alone() -> None:
    me = Caller("qa")
    test_tenant, real = make_tenant(is_test=True), make_tenant()
    tested = make_member(test_tenant)
    elsewhere_too = make_member(test_tenant)
    Membership.objects.create(user=elsewhere_too, tenant=real, role="member")
    make_member(real)
    make_user()
    assert ids_of(me.rows(USERS)) == [tested.public_id]
    assert me.get(f"{USERS}/{tested.public_id}")[0] == 200
    assert me.get(f"{USERS}/{elsewhere_too.public_id}")[0] == 404
    assert me.get(f"{USERS}/{me.user.public_id}")[0] == 404


@pytest.mark.parametrize("role", ["finance", "ops"])
def test_other_roles_are_refused(role: str) -> None:
    status, answer = Caller(role).get(USERS)
    assert status == 403
    assert answer["error"]["code"] == "UNAUTHORIZED"
    assert answer["error"]["message"] == "User does not have required permissions"


def test_the_number_of_queries_does_not_grow_with_the_page() -> None:
    me = Caller()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            me.rows(USERS, limit=100, role="member")
        ours = [query["sql"] for query in captured if "users_" in query["sql"] or "plans_" in query["sql"]]
        assert len(ours) <= 6
        return len(captured)

    for _ in range(3):
        make_member(make_tenant())
    queries()  # the session's first request lists it
    few = queries()
    for _ in range(20):
        make_member(make_tenant())
    assert queries() == few
