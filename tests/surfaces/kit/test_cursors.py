"""Pages by cursor over any order: nulls last, ties by id, rows as objects and as dictionaries."""

from typing import Any

import pytest
from django.db.models import QuerySet

from apps.surfaces.kit import cursors, paging
from apps.surfaces.kit.ordering import Ordering
from apps.surfaces.kit.paging import CursorPaging
from apps.tenants.models import Tenant
from tests.factories import make_facts, make_tenant

pytestmark = pytest.mark.django_db

STYLE = CursorPaging(default=20, most=100)
ORDER = Ordering("created_at", mrr="facts__mrr", company="company_name", default="-created_at")


def walk(rows: "QuerySet[Any, Any]", chosen: str, *, limit: int = 2) -> list[str]:
    """The names on all pages, following the cursors."""
    found: list[str] = []
    cursor: str | None = None
    for _ in range(20):
        position = {"limit": limit, "cursor": cursor}
        asked = paging.Request(position, ORDER, chosen, listing=f"list {chosen}")
        page = STYLE.cut(rows, asked, _names, None)
        found += page.rows
        cursor = page.position["next"]
        assert (cursor is not None) is page.position["has_more"]
        if cursor is None:
            return found
    raise AssertionError("the pages don't end")


def _names(rows: list[Any]) -> list[str]:
    return [row["company_name"] if isinstance(row, dict) else row.company_name for row in rows]


@pytest.fixture
def _tenants() -> None:
    for name, mrr in [("a", 5), ("b", None), ("c", 9), ("d", 5), ("e", None), ("f", "0.10"), ("g", 5)]:
        tenant = make_tenant(company_name=name)
        if mrr is not None:
            make_facts(tenant, mrr=mrr)


@pytest.mark.usefixtures("_tenants")
@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("mrr", "fadgcbe"),
        ("-mrr", "cgdafeb"),
        ("company", "abcdefg"),
        ("-company", "gfedcba"),
        ("created_at", "abcdefg"),
        ("-created_at", "gfedcba"),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_by_cursor_hold_every_row_once_in_order(chosen: str, expected: str, limit: int) -> None:
    assert "".join(walk(Tenant.objects.all(), chosen, limit=limit)) == expected


@pytest.mark.usefixtures("_tenants")
def test_rows_may_be_dictionaries() -> None:
    assert "".join(walk(Tenant.objects.values("company_name"), "-mrr")) == "cgdafeb"


@pytest.mark.usefixtures("_tenants")
def test_a_row_that_goes_or_comes_meanwhile_moves_no_other() -> None:
    asked = paging.Request({"limit": 3, "cursor": None}, ORDER, "company", listing="x")
    first = STYLE.cut(Tenant.objects.all(), asked, _names, None)
    Tenant.objects.get(company_name="c").delete()
    make_tenant(company_name="aa")
    position = {"limit": 10, "cursor": first.position["next"]}
    second = STYLE.cut(
        Tenant.objects.all(), paging.Request(position, ORDER, "company", listing="x"), _names, None
    )
    assert "".join([*first.rows, *second.rows]) == "abcdefg"


@pytest.mark.usefixtures("_tenants")
def test_a_cursor_of_another_order_is_refused() -> None:
    asked = paging.Request({"limit": 3, "cursor": None}, ORDER, "company", listing="by company")
    cursor = STYLE.cut(Tenant.objects.all(), asked, _names, None).position["next"]
    other = paging.Request({"limit": 3, "cursor": cursor}, ORDER, "mrr", listing="by mrr")
    with pytest.raises(cursors.CursorInvalid):
        STYLE.cut(Tenant.objects.all(), other, _names, None)


def test_a_listing_is_named_by_its_surface_path_order_and_filters() -> None:
    names = {
        paging.listing("service", "/a", "-id", {"status": "active"}),
        paging.listing("control", "/a", "-id", {"status": "active"}),
        paging.listing("service", "/b", "-id", {"status": "active"}),
        paging.listing("service", "/a", "id", {"status": "active"}),
        paging.listing("service", "/a", "-id", {"status": "trial"}),
        paging.listing("service", "/a", "-id", {}),
    }
    assert len(names) == 6
    assert "active" not in "".join(names)
