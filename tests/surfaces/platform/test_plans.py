"""Plans: list, detail, writes, impact."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.audit.models import AuditEntry
from apps.plans.limits import CAPABILITIES, FEATURES, LIMITS
from apps.plans.models import Plan
from apps.tenants.services import override_plan
from apps.tenants.terms import PlanTerms
from tests.factories import actor, get_plan, make_facts, make_tenant
from tests.surfaces.platform.calling import Caller

pytestmark = pytest.mark.django_db

PLANS = "/api/v1/platform/admin/plans"
NEW = {"name": "Team", "slug": "team", "price_monthly": 1900, "price_yearly": 19000}


def slugs(caller: Caller, **query: Any) -> list[str]:
    return [row["slug"] for row in caller.rows(PLANS, **query)]


def test_list_has_the_seeded_plans_beside_their_pagination() -> None:
    status, answer = Caller().get(PLANS)
    assert status == 200
    assert len(answer["data"]) == 8
    assert answer["pagination"] == {"total": 8, "limit": 50, "offset": 0, "has_more": False}


def test_plan_has_the_fields_of_the_contract() -> None:
    make_tenant("starter")
    make_tenant("starter", status="suspended", suspended_from="active", suspended_at="2026-01-01T00:00:00Z")
    make_tenant("starter", status="cancelled")
    elsewhere = make_tenant("starter")
    override_plan(actor=actor(), tenant_id=elsewhere.id, terms=PlanTerms(plan="pro"))
    me = Caller()
    response = me.client.get(f"{PLANS}/starter")
    assert response["ETag"] == '"v1"'
    plan = response.json()["data"]
    assert (plan["id"], plan["price_monthly"], plan["price_yearly"]) == (
        get_plan("starter").public_id,
        2900,
        29000,
    )
    assert (plan["subscribers"], plan["version"], plan["currency"]) == (2, 1, "USD")
    assert (set(plan["limits"]), set(plan["features"])) == (set(LIMITS), set(FEATURES))
    assert set(plan["capabilities"]) <= set(CAPABILITIES)
    assert me.get(f"{PLANS}/{plan['id']}")[1]["data"] == plan
    assert me.get(f"{PLANS}/pro")[1]["data"]["subscribers"] == 1
    assert me.get(f"{PLANS}/free")[1]["data"]["subscribers"] == 0


def test_filters_and_orderings() -> None:
    Plan.objects.filter(slug="pro").update(is_active=False)
    me = Caller()
    assert slugs(me, is_active="false") == ["pro"]
    assert "pro" not in slugs(me, is_active="true")
    assert set(slugs(me, search="PRO")) == {"pro", "professional"}
    assert slugs(me, search=get_plan("growth").public_id) == ["growth"]
    assert slugs(me, search="regu") == ["regulated"]
    assert slugs(me, ordering="-price_monthly", limit="2") == ["enterprise", "regulated"]
    assert len(slugs(me, search="")) == 8


@pytest.mark.parametrize(
    "query", [{"is_active": "yes"}, {"limit": "101"}, {"ordering": "limits"}, {"page": "1"}]
)
def test_wrong_parameter_is_refused_by_name(query: dict[str, str]) -> None:
    status, answer = Caller().get(PLANS, **query)
    assert (status, list(answer["error"]["details"])) == (400, list(query))


def test_one_count_of_queries_whatever_the_page() -> None:
    me, counted = Caller(), []
    for limit in (1, 8):
        with CaptureQueriesContext(connection) as queries:
            me.rows(PLANS, limit=limit)
        asked = [q for q in queries if any(name in q["sql"] for name in ("plans_", "tenants_", "row_count"))]
        counted.append(len(asked) - (limit < 8))
    # Rows, versions, how many live by each; a page that is not the whole is counted besides.
    assert counted == [3, 3]


def test_unknown_plan_is_not_found() -> None:
    for name in ("platinum", "pln_01JD8Z3K5Q6R7S8T9V0W1X2Y3Z"):
        assert Caller().get(f"{PLANS}/{name}")[0] == 404


@pytest.mark.parametrize(
    ("role", "reads"),
    [("admin", 200), ("support", 200), ("finance", 200), ("qa", 200), ("ops", 403)],
)
def test_roles_that_read_and_none_of_them_writes(role: str, reads: int) -> None:
    me = Caller(role)
    assert me.get(PLANS)[0] == reads
    assert me.get(f"{PLANS}/starter")[0] == reads
    assert me.get(f"{PLANS}/starter/impact", max_users=1)[0] == reads
    assert me.send("POST", PLANS, NEW)[0] == 403
    assert me.send("PUT", f"{PLANS}/starter", {"name": "x"})[0] == 403


def test_created_plan_takes_limits_and_features_flat_or_nested() -> None:
    me = Caller()
    status, answer = me.send(
        "POST",
        PLANS,
        {
            **NEW,
            "max_users": 20,
            "limits": {"max_domains": 3, "max_users": 20},
            "api_access": True,
            "features": {"white_label": True},
            "capabilities": ["postgres", "audit"],
            "stripe_product_id": "prod_Ab1",
        },
    )
    assert status == 201, answer
    plan = answer["data"]
    assert plan["limits"] == {**dict.fromkeys(LIMITS), "max_users": 20, "max_domains": 3}
    assert plan["features"] == {**dict.fromkeys(FEATURES, False), "api_access": True, "white_label": True}
    assert plan["capabilities"] == ["postgres", "audit"]
    assert (plan["is_active"], plan["currency"], plan["subscribers"]) == (True, "USD", 0)
    assert AuditEntry.objects.get(action="plan.create").resource_id == plan["id"]


@pytest.mark.parametrize(
    ("changed", "blamed"),
    [
        ({"slug": "Team!"}, "slug"),
        ({"slug": "sync"}, "slug"),
        ({"stripe_product_id": "plan_1"}, "stripe_product_id"),
        ({"max_users": 0}, "max_users"),
        ({"max_users": "20"}, "max_users"),
        ({"limits": {"max_users": -1}}, "limits.max_users"),
        ({"limits": {"max_cats": 1}}, "limits.max_cats"),
        ({"max_cats": 1}, "max_cats"),
        ({"features": {"api_access": 1}}, "features.api_access"),
        ({"price_monthly": 29.5}, "price_monthly"),
        ({"price_monthly": -1}, "price_monthly"),
        ({"subscribers": 5}, "subscribers"),
        ({"max_users": 5, "limits": {"max_users": 6}}, "max_users"),
        ({"grandfather": True}, "grandfather"),
    ],
)
def test_wrong_plan_is_refused_by_name(changed: dict[str, Any], blamed: str) -> None:
    status, answer = Caller().send("POST", PLANS, {**NEW, **changed})
    assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR"), answer
    assert list(answer["error"]["details"]) == [blamed]
    assert Plan.objects.count() == 8


def test_missing_fields_are_named() -> None:
    status, answer = Caller().send("POST", PLANS, {"name": "Team"})
    assert (status, set(answer["error"]["details"])) == (400, {"slug", "price_monthly", "price_yearly"})


def test_taken_slug_is_a_conflict() -> None:
    status, answer = Caller().send("POST", PLANS, {**NEW, "slug": "starter"})
    assert (status, answer["error"]["code"]) == (409, "CONFLICT")


def test_changed_fields_alone_change() -> None:
    me = Caller()
    _, before = me.get(f"{PLANS}/starter")
    status, answer = me.send("PUT", f"{PLANS}/starter", {"description": "Now with cats.", "max_users": None})
    assert status == 200
    after = answer["data"]
    assert (after["description"], after["limits"]["max_users"], after["version"]) == (
        "Now with cats.",
        None,
        2,
    )
    left = {"description", "limits", "version", "updated_at"}
    assert {k: v for k, v in after.items() if k not in left} == {
        k: v for k, v in before["data"].items() if k not in left
    }


def test_grandfathered_subscribers_keep_what_they_have() -> None:
    tenant, me = make_tenant("starter"), Caller()
    me.send("PUT", f"{PLANS}/starter", {"max_users": 2, "grandfather": True})
    _, answer = me.get(f"/api/v1/platform/admin/tenants/{tenant.public_id}")
    assert answer["data"]["tenant"]["limits"]["max_users"] == 5
    me.send("PUT", f"{PLANS}/starter", {"max_users": 3})
    _, answer = me.get(f"/api/v1/platform/admin/tenants/{tenant.public_id}")
    assert answer["data"]["tenant"]["limits"]["max_users"] == 3


def test_slug_of_a_plan_with_subscribers_is_a_conflict() -> None:
    make_tenant("starter")
    status, answer = Caller().send("PUT", f"{PLANS}/starter", {"slug": "entry"})
    assert (status, answer["error"]["code"]) == (409, "CONFLICT")


def test_stale_version_is_refused() -> None:
    me = Caller()
    assert me.send("PUT", f"{PLANS}/starter", {"description": "a"}, **{"If-Match": "1"})[0] == 200
    status, answer = me.send("PUT", f"{PLANS}/starter", {"description": "b"}, **{"If-Match": "1"})
    assert (status, answer["error"]["code"]) == (412, "VERSION_CONFLICT")


def test_impact_names_those_who_would_exceed() -> None:
    below, above, bound, gone = (make_tenant("starter") for _ in range(4))
    far = make_tenant("starter", is_test=True)
    for tenant, members in ((below, 3), (above, 4), (bound, 9), (gone, 9), (far, 50)):
        make_facts(tenant, members=members, usage={"domains": 1})
    make_facts(far, usage={"domains": 8})
    override_plan(actor=actor(), tenant_id=bound.id, terms=PlanTerms(limits={"max_users": 100}))
    type(gone).objects.filter(id=gone.id).update(status="cancelled")
    _, answer = Caller().get(f"{PLANS}/starter/impact", max_users=3, max_domains=2)
    data = answer["data"]
    assert (data["subscribers"], data["tenants_affected"]) == (4, 2)
    assert data["proposed"] == {"max_users": 3, "max_domains": 2}
    assert data["tenants"] == [
        {
            "tenant_id": far.public_id,
            "tenant_name": far.company_name,
            "exceeded": [
                {"limit": "max_users", "usage": 50, "proposed": 3},
                {"limit": "max_domains", "usage": 8, "proposed": 2},
            ],
        },
        {
            "tenant_id": above.public_id,
            "tenant_name": above.company_name,
            "exceeded": [{"limit": "max_users", "usage": 4, "proposed": 3}],
        },
    ]
    _, narrowed = Caller("qa").get(f"{PLANS}/starter/impact", max_users=3)
    assert [row["tenant_id"] for row in narrowed["data"]["tenants"]] == [far.public_id]
    _, nothing = Caller().get(f"{PLANS}/starter/impact")
    assert nothing["data"]["tenants_affected"] == 0


@pytest.mark.parametrize("query", [{"max_users": "0"}, {"max_users": "null"}, {"max_cats": "1"}])
def test_wrong_proposal_is_refused_by_name(query: dict[str, str]) -> None:
    status, answer = Caller().get(f"{PLANS}/starter/impact", **query)
    assert (status, list(answer["error"]["details"])) == (400, list(query))
