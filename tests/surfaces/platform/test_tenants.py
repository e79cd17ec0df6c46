"""GET /tenants and /tenants/{id}: rows, filters, orderings, pages, masks, reach."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.clock import iso, now
from apps.plans.limits import LIMITS, METERS
from apps.tenants.models import BillingOverride, PlanOverride, Tenant
from apps.tenants.services import override_billing, override_plan
from apps.tenants.terms import BillingTerms, PlanTerms
from tests.factories import actor, get_plan, make_facts, make_tenant
from tests.surfaces.platform.calling import Caller

pytestmark = pytest.mark.django_db

TENANTS = "/api/v1/platform/admin/tenants"


def listed(caller: Caller, **query: Any) -> list[dict[str, Any]]:
    status, answer = caller.get(TENANTS, **query)
    assert status == 200, answer
    found: list[dict[str, Any]] = answer["data"]["tenants"]
    return found


def names(caller: Caller, **query: Any) -> list[str]:
    return [row["company_name"] for row in listed(caller, **query)]


def test_row_has_the_fields_of_the_contract_and_no_other() -> None:
    tenant = make_tenant("growth")
    make_facts(tenant, mrr="99.50", currency="EUR", members=7, workspaces=2)
    (row,) = listed(Caller())
    assert row == {
        "id": tenant.public_id,
        "company_name": tenant.company_name,
        "owner_email": tenant.owner_email,
        "plan": {"name": "Growth", "slug": "growth"},
        "mrr": 99.5,
        "currency": "EUR",
        "workspaces": 2,
        "users": 7,
        "status": "active",
        "created_at": iso(tenant.created_at),
    }


def test_figures_without_an_owner_are_null() -> None:
    make_tenant()
    (row,) = listed(Caller())
    assert [row[name] for name in ("mrr", "currency", "workspaces", "users")] == [None] * 4


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ünal", True),
        ("ÜNAL werke", True),
        ("nal We", True),
        ("jane.doe@uenal.example", True),
        ("JANE.DOE", True),
        ("uenal.exa", True),
        ("", True),
        ("100%", False),
        ("_nal", False),
        ("other", False),
    ],
)
def test_search_is_a_part_of_name_or_email_without_case(search: str, found: bool) -> None:
    make_tenant(company_name="Ünal Werke", owner_email="jane.doe@uenal.example")
    assert bool(listed(Caller(), search=search)) is found


@pytest.mark.parametrize("prefix", ["tnt", "tn", "ten"])
def test_search_by_id_in_every_spelling(prefix: str) -> None:
    tenant = make_tenant()
    make_tenant()
    written = prefix + "_" + tenant.public_id.partition("_")[2]
    assert [row["id"] for row in listed(Caller(), search=written)] == [tenant.public_id]


def test_plan_is_the_one_in_force() -> None:
    given, overridden = make_tenant("starter"), make_tenant("starter")
    override_plan(actor=actor(), tenant_id=overridden.id, terms=PlanTerms(plan="pro"))
    me = Caller()
    assert names(me, plan="starter") == [given.company_name]
    assert names(me, plan="pro") == [overridden.company_name]
    assert names(me, plan=get_plan("pro").public_id) == [overridden.company_name]
    assert names(me, plan="platinum") == []
    assert listed(me, plan="pro")[0]["plan"] == {"name": "Pro", "slug": "pro"}


def test_status_is_in_the_words_of_the_surface() -> None:
    at = now()
    made = {
        "provisioning": make_tenant(status="provisioning"),
        "trial": make_tenant(status="trial", trial_ends_at=at),
        "active": make_tenant(),
        "suspended": make_tenant(status="suspended", suspended_from="active", suspended_at=at),
        "cancelled": make_tenant(status="cancelled", cancelled_at=at),
    }
    me = Caller()
    expected = {
        "trial": {"provisioning", "trial"},
        "active": {"active"},
        "suspended": {"suspended"},
        "churned": {"cancelled"},
    }
    for word, stored in expected.items():
        rows = listed(me, status=word)
        assert {row["company_name"] for row in rows} == {made[name].company_name for name in stored}
        assert {row["status"] for row in rows} == {word}


def test_bounds_of_creation_and_mrr_include() -> None:
    old, new = make_tenant(), make_tenant()
    Tenant.objects.filter(id=old.id).update(created_at=datetime(2026, 1, 10, 12, tzinfo=UTC))
    Tenant.objects.filter(id=new.id).update(created_at=datetime(2026, 2, 10, tzinfo=UTC))
    make_facts(old, mrr=10)
    make_facts(new, mrr=20)
    me = Caller()
    assert names(me, created_after="2026-01-10T12:00:00Z", created_before="2026-02-01") == [old.company_name]
    assert names(me, created_after="2026-01-10T13:30:00+01:00") == [new.company_name]
    assert names(me, mrr_min="10", mrr_max="19.99") == [old.company_name]
    assert names(me, mrr_min="10.01") == [new.company_name]
    make_tenant()
    assert len(listed(me, mrr_min="0")) == 2


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        (None, "dcba"),
        ("created_at", "abcd"),
        ("-created_at", "dcba"),
        ("company_name", "badc"),
        ("-company_name", "cdab"),
        # Nulls stand last both ways; equals by id in the same direction.
        ("mrr", "bcad"),
        ("-mrr", "acbd"),
        ("users", "dabc"),
        ("-users", "badc"),
    ],
)
def test_orderings_with_nulls_last_and_the_id_as_tie_breaker(ordering: str | None, expected: str) -> None:
    made = {
        "a": make_tenant(company_name="N2"),
        "b": make_tenant(company_name="N1"),
        "c": make_tenant(company_name="N4"),
        "d": make_tenant(company_name="N3"),
    }
    for key, mrr, members in (("a", 30, 5), ("b", 10, 5), ("c", 10, None), ("d", None, 1)):
        make_facts(made[key], mrr=mrr, members=members)
    letters = {tenant.public_id: key for key, tenant in made.items()}
    rows = listed(Caller(), **({"ordering": ordering} if ordering else {}))
    assert "".join(letters[row["id"]] for row in rows) == expected


def test_pages_neither_skip_nor_repeat() -> None:
    made = {make_tenant().public_id for _ in range(7)}
    Tenant.objects.update(created_at=now())
    me, seen = Caller(), []
    for offset in range(0, 8, 2):
        status, answer = me.get(TENANTS, limit=2, offset=offset)
        assert status == 200
        assert answer["data"]["pagination"] == {
            "total": 7,
            "limit": 2,
            "offset": offset,
            "has_more": offset < 5,
        }
        seen += [row["id"] for row in answer["data"]["tenants"]]
    assert len(seen) == 7
    assert set(seen) == made


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "-1"},
        {"offset": "-1"},
        {"status": "cancelled"},
        {"status": "provisioning"},
        {"ordering": "owner_email"},
        {"ordering": "--mrr"},
        {"mrr_min": "much"},
        {"mrr_min": "1e400"},
        {"created_after": "yesterday"},
        {"created_before": "2026-13-01"},
        {"colour": "red"},
        {"search": "x" * 255},
    ],
)
def test_wrong_parameter_is_refused_by_name(query: dict[str, str]) -> None:
    status, answer = Caller().get(TENANTS, **query)
    assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert list(answer["error"]["details"]) == list(query)


def test_one_count_of_queries_whatever_the_page() -> None:
    me = Caller()
    for _ in range(12):
        make_facts(make_tenant(), mrr=5)
    counted = []
    for limit in (1, 3, 11):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            listed(me, limit=limit, ordering="-mrr", search="acme", status="active", plan="starter")
        counted.append(len([q for q in queries if "tenants_tenant" in q["sql"] or "plans_" in q["sql"]]))
    # The plan of the filter, the rows, the count.
    assert counted == [3, 3, 3]


def test_detail_has_the_fields_of_the_contract_and_a_version() -> None:
    tenant = make_tenant("starter")
    make_facts(
        tenant,
        members=3,
        workspaces=1,
        usage={"domains": 2, "emails_this_month": 1500},
        subscription={"id": "sub_1", "status": "active", "current_period_end": "2026-12-01T00:00:00.000Z"},
    )
    me = Caller()
    response = me.client.get(f"{TENANTS}/{tenant.public_id}")
    assert response["ETag"] == '"v1"'
    found = response.json()["data"]["tenant"]
    assert list(found) == [
        "id", "slug", "company_name", "owner_email", "plan", "status", "is_test", "trial_ends_at",
        "subscription", "limits", "overrides", "usage", "created_at",
    ]  # fmt: skip
    assert (found["id"], found["slug"], found["plan"]) == (tenant.public_id, tenant.slug, "starter")
    assert found["subscription"] == {
        "id": "sub_1",
        "status": "active",
        "current_period_end": "2026-12-01T00:00:00.000Z",
    }
    assert set(found["limits"]) == set(LIMITS)
    assert found["limits"]["max_workspaces"] == 3
    assert found["overrides"] == {"plan_override": None, "billing_override": None}
    assert set(found["usage"]) == set(METERS)
    assert (found["usage"]["users"], found["usage"]["domains"], found["usage"]["storage_gb"]) == (3, 2, None)


def test_detail_shows_overrides_in_force_and_the_limits_they_make() -> None:
    tenant = make_tenant("starter")
    terms = PlanTerms(plan="growth", price_monthly=None, limits={"max_users": None}, reason="a deal")
    override_plan(actor=actor(), tenant_id=tenant.id, terms=terms)
    override_billing(
        actor=actor(),
        tenant_id=tenant.id,
        terms=BillingTerms(type="custom_cycle", cycle="annual", reason="so"),
    )
    _, answer = Caller().get(f"{TENANTS}/{tenant.public_id}")
    found = answer["data"]["tenant"]
    assert found["plan"] == "growth"
    assert (found["limits"]["max_users"], found["limits"]["max_workspaces"]) == (None, 10)
    plan, billing = found["overrides"]["plan_override"], found["overrides"]["billing_override"]
    assert (plan["plan_id"], plan["limits"], plan["reason"]) == (
        get_plan("growth").public_id,
        {"max_users": None},
        "a deal",
    )
    assert (billing["type"], billing["cycle"], billing["method"]) == ("custom_cycle", "annual", None)
    PlanOverride.objects.update(lifted_at=now())
    BillingOverride.objects.update(ends_at=now() - timedelta(seconds=1))
    _, answer = Caller().get(f"{TENANTS}/{tenant.public_id}")
    assert answer["data"]["tenant"]["overrides"] == {"plan_override": None, "billing_override": None}


def test_detail_by_every_spelling_of_the_id_and_by_slug() -> None:
    tenant = make_tenant()
    me, body = Caller(), tenant.public_id.partition("_")[2]
    for name in (f"tnt_{body}", f"tn_{body}", f"ten_{body}", f"tnt_{body.lower()}", tenant.slug):
        status, answer = me.get(f"{TENANTS}/{name}")
        assert (status, answer["data"]["tenant"]["id"]) == (200, tenant.public_id)


@pytest.mark.parametrize(
    "name", ["tnt_01JD8Z3K5Q6R7S8T9V0W1X2Y3Z", "nobody", "usr_01JD8Z3K5Q6R7S8T9V0W1X2Y3Z"]
)
def test_unknown_tenant_is_not_found(name: str) -> None:
    status, answer = Caller().get(f"{TENANTS}/{name}")
    assert (status, answer["error"]["code"]) == (404, "NOT_FOUND")


def test_detail_costs_at_most_six_queries() -> None:
    tenant = make_tenant()
    override_plan(actor=actor(), tenant_id=tenant.id, terms=PlanTerms(plan="pro"))
    me = Caller()
    with CaptureQueriesContext(connection) as queries:
        me.get(f"{TENANTS}/{tenant.public_id}")
    own = [q["sql"] for q in queries if '"tenants_' in q["sql"] or '"plans_' in q["sql"]]
    assert len(own) <= 6, own


def test_support_reads_masked_and_can_not_undo_it_by_searching() -> None:
    tenant = make_tenant(company_name="Acme", owner_email="jane.doe@acme.example")
    override_plan(
        actor=actor(), tenant_id=tenant.id, terms=PlanTerms(plan="pro", reason="jane.doe@acme.example asked")
    )
    support = Caller("support")
    (row,) = listed(support)
    assert row["owner_email"] == "j***@acme.example"
    _, answer = support.get(f"{TENANTS}/{tenant.public_id}")
    assert "jane.doe" not in str(answer)
    for part in ("jane", "jane.d", "doe@acme", "acme.example"):
        assert listed(support, search=part) == []
    assert len(listed(support, search="Jane.Doe@acme.example")) == 1
    assert len(listed(support, search="cme")) == 1
    assert len(listed(support, search=tenant.public_id)) == 1
    assert len(listed(Caller("admin"), search="jane.d")) == 1


def test_qa_reaches_test_tenants_alone() -> None:
    live, test = make_tenant(), make_tenant(is_test=True)
    qa = Caller("qa")
    assert names(qa) == [test.company_name]
    assert qa.get(f"{TENANTS}/{live.public_id}")[0] == 404
    assert qa.get(f"{TENANTS}/{live.slug}")[0] == 404
    assert qa.get(f"{TENANTS}/{test.public_id}")[0] == 200
    body = {"plan_override": {"plan_id": "pro"}}
    assert qa.send("PATCH", f"{TENANTS}/{live.public_id}", body)[0] == 404
    assert qa.send("PATCH", f"{TENANTS}/{test.public_id}", body)[0] == 200
