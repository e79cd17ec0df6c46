"""PATCH /tenants/{id} and POST /tenants/test: what they answer, change and refuse."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.audit.models import AuditDetail, AuditEntry
from apps.core.clock import now
from apps.tenants.models import BillingOverride, PlanOverride, Tenant, Workspace
from tests.factories import get_plan, make_tenant
from tests.surfaces.platform.calling import Caller

pytestmark = pytest.mark.django_db

TENANTS = "/api/v1/platform/admin/tenants"
TEST = {"company_name": "Trying", "owner_email": "Try@People.example", "plan": "growth"}


def patch(tenant: Tenant, body: Any, caller: Caller | None = None, **headers: str) -> tuple[int, Any]:
    return (caller or Caller()).send("PATCH", f"{TENANTS}/{tenant.public_id}", body, **headers)


def test_plan_and_billing_override_at_once() -> None:
    tenant = make_tenant("starter")
    status, answer = patch(
        tenant,
        {
            "plan_override": {
                "plan_id": get_plan("growth").public_id,
                "custom_pricing": True,
                "price_monthly": 49.5,
                "limits": {"max_users": 500, "max_domains": None},
                "reason": "a deal",
            },
            "billing_override": {"type": "payment_method", "method": "ach", "reason": "asked by their bank"},
        },
    )
    assert status == 200, answer
    data = answer["data"]
    assert (data["tenant_id"], data["overrides_applied"]) == (tenant.public_id, True)
    assert abs(datetime.fromisoformat(data["effective_date"]) - now()) < timedelta(minutes=1)
    override = PlanOverride.objects.get(tenant=tenant)
    assert (override.plan_id, str(override.price_monthly)) == (get_plan("growth").id, "49.50")
    assert override.limits == {"max_users": 500, "max_domains": None}
    assert BillingOverride.objects.get(tenant=tenant).method == "ach"
    entry = AuditEntry.objects.get(tenant_id=tenant.id)
    assert entry.action == "tenant.override"
    assert '"price_monthly":49.5' in AuditDetail.objects.get(entry=entry, part="subject").body


def test_null_lifts_and_what_is_left_out_stays() -> None:
    tenant = make_tenant("starter")
    patch(tenant, {"plan_override": {"plan_id": "pro"}, "billing_override": {"type": "comp", "reason": "so"}})
    assert patch(tenant, {"plan_override": None})[0] == 200
    assert not PlanOverride.objects.filter(lifted_at__isnull=True).exists()
    assert BillingOverride.objects.filter(lifted_at__isnull=True).exists()
    assert patch(tenant, {"billing_override": None})[0] == 200
    assert not BillingOverride.objects.filter(lifted_at__isnull=True).exists()
    # Lifting what is not there is no error.
    assert patch(tenant, {"plan_override": None, "billing_override": None})[0] == 200


@pytest.mark.parametrize(
    ("written", "ends"),
    [
        ("2031-05-31", datetime(2031, 6, 1, tzinfo=UTC)),
        ("2031-05-31T10:00:00Z", datetime(2031, 5, 31, 10, tzinfo=UTC)),
    ],
)
def test_extended_trial_sets_the_end_of_the_trial(written: str, ends: datetime) -> None:
    tenant = make_tenant(status="trial", trial_ends_at=now() + timedelta(days=1))
    body = {"billing_override": {"type": "extended_trial", "trial_end_date": written, "reason": "so"}}
    assert patch(tenant, body)[0] == 200
    tenant.refresh_from_db()
    assert tenant.trial_ends_at == ends
    _, answer = Caller().get(f"{TENANTS}/{tenant.public_id}")
    assert answer["data"]["tenant"]["overrides"]["billing_override"]["trial_end_date"] == "2031-05-31"


@pytest.mark.parametrize(
    ("body", "blamed"),
    [
        ({}, None),
        ({"colour": "red"}, "colour"),
        ({"plan_override": {}}, "plan_override"),
        ({"plan_override": []}, "plan_override"),
        ({"plan_override": {"plan_id": "platinum"}}, "plan_override.plan_id"),
        ({"plan_override": {"limits": {"max_users": -1}}}, "plan_override.limits.max_users"),
        ({"plan_override": {"limits": {"max_users": 1.5}}}, "plan_override.limits.max_users"),
        ({"plan_override": {"limits": {"max_cats": 1}}}, "plan_override.limits.max_cats"),
        ({"plan_override": {"price_monthly": "9"}}, "plan_override.price_monthly"),
        ({"plan_override": {"price_monthly": -1}}, "plan_override.price_monthly"),
        ({"plan_override": {"price_monthly": 1.001}}, "plan_override.price_monthly"),
        ({"plan_override": {"custom_pricing": True}}, "plan_override.price_monthly"),
        ({"plan_override": {"plan_id": "pro", "until": "x"}}, "plan_override.until"),
        ({"billing_override": {"type": "comp"}}, "billing_override.reason"),
        ({"billing_override": {"type": "comp", "reason": " "}}, "billing_override.reason"),
        ({"billing_override": {"type": "gift", "reason": "so"}}, "billing_override.type"),
        ({"billing_override": {"reason": "so"}}, "billing_override.type"),
        ({"billing_override": {"type": "custom_cycle", "reason": "so"}}, "billing_override.cycle"),
        (
            {"billing_override": {"type": "custom_cycle", "cycle": "weekly", "reason": "so"}},
            "billing_override.cycle",
        ),
        ({"billing_override": {"type": "payment_method", "reason": "so"}}, "billing_override.method"),
        ({"billing_override": {"type": "extended_trial", "reason": "so"}}, "billing_override.trial_end_date"),
        (
            {"billing_override": {"type": "extended_trial", "trial_end_date": "2020-01-01", "reason": "so"}},
            "billing_override.trial_end_date",
        ),
        (
            {"billing_override": {"type": "extended_trial", "trial_end_date": "9999-12-31", "reason": "so"}},
            "billing_override.trial_end_date",
        ),
        ({"billing_override": {"type": "comp", "method": "wire", "reason": "so"}}, "billing_override.method"),
    ],
)
def test_wrong_body_is_refused_by_name_and_changes_nothing(body: Any, blamed: str | None) -> None:
    tenant = make_tenant("starter")
    status, answer = patch(tenant, body)
    assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR"), answer
    assert list(answer["error"].get("details", {})) == ([blamed] if blamed else [])
    tenant.refresh_from_db()
    assert tenant.version == 1
    assert not PlanOverride.objects.exists()
    assert not BillingOverride.objects.exists()
    assert not AuditEntry.objects.filter(tenant_id=tenant.id).exists()


def test_version_is_answered_and_honoured() -> None:
    tenant, me = make_tenant("starter"), Caller()
    body = {"plan_override": {"plan_id": "pro"}}
    assert patch(tenant, body, me, **{"If-Match": '"v1"'})[0] == 200
    status, answer = patch(tenant, body, me, **{"If-Match": '"v1"'})
    assert (status, answer["error"]["code"]) == (412, "VERSION_CONFLICT")
    present = me.client.get(f"{TENANTS}/{tenant.public_id}")["ETag"]
    assert patch(tenant, body, me, **{"If-Match": present})[0] == 200


def test_validate_only_says_what_would_happen_and_changes_nothing() -> None:
    tenant, me = make_tenant("starter"), Caller()
    address = f"{TENANTS}/{tenant.public_id}?validate_only=true"
    assert me.send("PATCH", address, {"plan_override": {"plan_id": "pro"}})[0] == 200
    assert me.send("PATCH", address, {"plan_override": {"plan_id": "platinum"}})[0] == 400
    assert not PlanOverride.objects.exists()
    assert me.send("POST", f"{TENANTS}/test?validate_only=true", TEST)[0] == 201
    assert Tenant.objects.count() == 1


@pytest.mark.parametrize("role", ["support", "finance", "ops"])
def test_readers_may_not_write(role: str) -> None:
    tenant, me = make_tenant("starter"), Caller(role)
    status, answer = patch(tenant, {"plan_override": {"plan_id": "pro"}}, me)
    assert (status, answer["error"]["code"]) == (403, "UNAUTHORIZED")
    assert me.send("POST", f"{TENANTS}/test", TEST)[0] == 403
    assert Tenant.objects.get().version == 1


def test_test_tenant_is_made_whole() -> None:
    status, answer = Caller("qa").send("POST", f"{TENANTS}/test", {**TEST, "auto_cleanup_days": 3})
    assert status == 201, answer
    data = answer["data"]
    assert set(data) == {"tenant_id", "login_url", "expires_at"}
    tenant = Tenant.objects.get()
    assert (data["tenant_id"], tenant.is_test) == (tenant.public_id, True)
    assert tenant.owner_email == "try@people.example"
    assert tenant.plan.slug == "growth"
    rest = datetime.fromisoformat(data["expires_at"]) - now()
    assert timedelta(days=2, hours=23) < rest <= timedelta(days=3)
    assert data["login_url"].startswith("http")
    assert Workspace.objects.filter(tenant=tenant).exists()
    assert AuditEntry.objects.get(tenant_id=tenant.id).action == "tenant.create_test"
    _, listed = Caller("qa").get(TENANTS)
    assert [row["id"] for row in listed["data"]["tenants"]] == [tenant.public_id]


def test_test_tenant_lives_thirty_days_unless_said_otherwise() -> None:
    _, answer = Caller().send("POST", f"{TENANTS}/test", TEST)
    rest = datetime.fromisoformat(answer["data"]["expires_at"]) - now()
    assert timedelta(days=29, hours=23) < rest <= timedelta(days=30)


@pytest.mark.parametrize(
    ("changed", "blamed"),
    [
        ({"auto_cleanup_days": 0}, "auto_cleanup_days"),
        ({"auto_cleanup_days": 91}, "auto_cleanup_days"),
        ({"auto_cleanup_days": "30"}, "auto_cleanup_days"),
        ({"auto_cleanup_days": None}, "auto_cleanup_days"),
        ({"plan": "platinum"}, "plan"),
        ({"owner_email": "nobody"}, "owner_email"),
        ({"company_name": ""}, "company_name"),
        ({"company_name": 5}, "company_name"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_test_tenant_is_refused_by_name(changed: dict[str, Any], blamed: str) -> None:
    status, answer = Caller().send("POST", f"{TENANTS}/test", {**TEST, **changed})
    assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert list(answer["error"]["details"]) == [blamed]
    assert not Tenant.objects.exists()


def test_same_key_makes_one_test_tenant() -> None:
    me = Caller()
    first = me.send("POST", f"{TENANTS}/test", TEST, **{"Idempotency-Key": "once"})
    again = me.send("POST", f"{TENANTS}/test", TEST, **{"Idempotency-Key": "once"})
    assert first[0] == again[0] == 201
    assert first[1]["data"] == again[1]["data"]
    assert Tenant.objects.count() == 1
