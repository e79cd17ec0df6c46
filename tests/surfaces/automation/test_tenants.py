"""Tenants: contracts/automation.md, "Tenants"."""

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from apps.core.clock import iso, now
from apps.surfaces.kit.paging import OpenPaging
from apps.tenants.models import TenantKey
from apps.tenants.services.keys import issue_key
from tests.factories import get_plan, make_facts, make_tenant
from tests.surfaces.automation.answers import refused

pytestmark = pytest.mark.django_db

TENANTS = "/admin/tenants"


def listed(client: Client, query: str = "") -> dict[str, Any]:
    response = client.get(f"{TENANTS}?{query}")
    assert response.status_code == 200, response.content
    body: dict[str, Any] = json.loads(b"".join(response) if response.streaming else response.content)
    assert set(body) == {"tenants", "total"}
    return body


def companies(client: Client, query: str = "") -> list[str]:
    return [row["company"] for row in listed(client, query)["tenants"]]


def test_a_tenant_has_what_the_contract_names(holder: Client) -> None:
    ends = now()
    tenant = make_tenant("starter", company_name="Acme", owner_email="jane@acme.example", trial_ends_at=ends)
    issue_key(tenant)
    (row,) = listed(holder)["tenants"]
    key = TenantKey.objects.get()
    assert row == {
        "tenant_id": tenant.public_id,
        "email": "jane@acme.example",
        "company": "Acme",
        "plan_id": "starter",
        "status": "active",
        "scans_used": None,
        "scans_limit": get_plan("starter").versions.get(version=1).limits.get("max_scans_per_month"),
        "trial_ends_at": iso(ends),
        "api_key_masked": key.masked,
        "aad_tenant_id": None,
        "created_at": iso(tenant.created_at),
    }
    assert holder.get(f"{TENANTS}/{tenant.public_id}").json() == row
    assert holder.get(f"{TENANTS}/{tenant.slug}").json() == row


def test_scans_are_those_that_were_measured(holder: Client) -> None:
    make_facts(make_tenant(), usage={"scans_this_month": 12})
    assert listed(holder)["tenants"][0]["scans_used"] == 12


def test_an_expired_key_is_none(holder: Client) -> None:
    tenant = make_tenant()
    issue_key(tenant)
    TenantKey.objects.update(expired_at=now())
    assert listed(holder)["tenants"][0]["api_key_masked"] is None


def test_without_a_limit_all_come_newest_first(holder: Client) -> None:
    for number in range(105):
        make_tenant(company_name=f"n{number:03}")
    body = listed(holder)
    assert [row["company"] for row in body["tenants"]] == [f"n{number:03}" for number in reversed(range(105))]
    assert body["total"] == 105


def test_a_long_list_is_sent_while_it_is_read(holder: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OpenPaging, "BATCH", 3)
    for number in range(10):
        make_tenant(company_name=f"n{number}")
    response = holder.get(TENANTS)
    assert response.streaming
    assert (response["Content-Type"], response["Cache-Control"]) == ("application/json", "no-store")
    body = listed(holder)
    assert [row["company"] for row in body["tenants"]] == [f"n{number}" for number in reversed(range(10))]
    assert body["total"] == 10
    assert len(listed(holder, "offset=4")["tenants"]) == 6


def test_limit_and_offset_cut_the_list(holder: Client) -> None:
    for number in range(5):
        make_tenant(company_name=f"n{number}")
    assert companies(holder, "limit=2") == ["n4", "n3"]
    assert companies(holder, "limit=2&offset=4") == ["n0"]
    assert listed(holder, "limit=2&offset=9") == {"tenants": [], "total": 5}
    assert companies(holder, "offset=3") == ["n1", "n0"]


def test_the_list_is_filtered(holder: Client) -> None:
    make_tenant("starter", company_name="Zeta", owner_email="jane@zeta.example")
    make_tenant("professional", company_name="Other", status="cancelled")
    make_tenant("professional", company_name="Trying", status="trial")
    assert companies(holder, "plan_id=starter") == ["Zeta"]
    assert companies(holder, "plan_id=professional") == ["Trying", "Other"]
    assert companies(holder, f"plan_id={get_plan('starter').public_id}") == ["Zeta"]
    assert companies(holder, "status=cancelled") == ["Other"]
    assert companies(holder, "status=trial&plan_id=starter") == []
    assert companies(holder, "q=jane@") == companies(holder, "q=ZET") == ["Zeta"]
    assert len(companies(holder, "q=")) == 3


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("offset=-1", "offset"),
        ("offset=99999999999999999999", "offset"),
        ("status=churned", "status"),
        ("plan_id=nothing", "plan_id"),
        ("plan_id=", "plan_id"),
        (f"q={'x' * 255}", "q"),
        ("page=1", "page"),
        ("cursor=x", "cursor"),
        ("ordering=mrr", "ordering"),
        ("limit=1&limit=2", "limit"),
    ],
)
def test_a_wrong_parameter_is_named(holder: Client, query: str, field: str) -> None:
    assert set(refused(holder.get(f"{TENANTS}?{query}"), 400, "invalid")["errors"]) == {field}


@pytest.mark.parametrize(
    "tenant_id", ["tnt_01JD8Z3K5Q6R7S8T9V0W1X2Y3Z", "nobody", "%00", "%ff", "😀", "x" * 3000, "-1", "'"]
)
def test_a_tenant_that_is_not_there_is_404(holder: Client, tenant_id: str) -> None:
    refused(holder.get(f"{TENANTS}/{tenant_id}"), 404, "not_found")


def test_a_list_costs_the_same_queries_whatever_its_length(
    holder: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        issue_key(make_tenant())
    listed(holder)
    with django_assert_num_queries(6):
        listed(holder)
    for _ in range(30):
        issue_key(make_tenant())
    with django_assert_num_queries(6):
        listed(holder)
