"""Lists: parts, totals, order, CSV."""

import csv
import io
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test import Client

from apps.surfaces.kit import paging
from apps.surfaces.kit.ordering import Ordering
from apps.surfaces.kit.tables import cell, encoded, harmless
from apps.tenants.models import Tenant
from tests.factories import make_facts, make_tenant
from tests.surfaces.kit.world import PREFIX

pytestmark = pytest.mark.django_db


def names(client: Client, query: str) -> list[str]:
    response = client.get(f"{PREFIX}?{query}")
    assert response.status_code == 200, response.content
    return [row["company"] for row in response.json()["data"]]


def pagination(client: Client, query: str) -> dict[str, Any]:
    return dict(client.get(f"{PREFIX}?{query}").json()["pagination"])


def test_a_page_says_how_many_there_are_and_whether_more_come(operator: Client) -> None:
    for _ in range(5):
        make_tenant()
    assert pagination(operator, "limit=2") == {"total": 5, "limit": 2, "offset": 0, "has_more": True}
    assert pagination(operator, "limit=2&offset=4") == {
        "total": 5,
        "limit": 2,
        "offset": 4,
        "has_more": False,
    }
    assert pagination(operator, "limit=2&offset=9") == {
        "total": 5,
        "limit": 2,
        "offset": 9,
        "has_more": False,
    }
    assert pagination(operator, "") == {"total": 5, "limit": 50, "offset": 0, "has_more": False}


def test_an_empty_list_has_a_total_of_zero(operator: Client) -> None:
    assert pagination(operator, "") == {"total": 0, "limit": 50, "offset": 0, "has_more": False}


def test_pages_neither_skip_nor_repeat_rows_of_the_same_instant(operator: Client) -> None:
    at = make_tenant(company_name="first").created_at
    for number in range(6):
        make_tenant(company_name=f"same {number}")
    Tenant.objects.update(created_at=at)
    seen = [name for offset in range(0, 7, 2) for name in names(operator, f"limit=2&offset={offset}")]
    assert len(seen) == len(set(seen)) == 7


def test_rows_come_newest_first_and_in_the_order_that_is_asked_for(operator: Client) -> None:
    for name in ("Beta", "Alpha", "Gamma"):
        make_tenant(company_name=name)
    assert names(operator, "") == ["Gamma", "Alpha", "Beta"]
    assert names(operator, "ordering=company") == ["Alpha", "Beta", "Gamma"]
    assert names(operator, "ordering=-company") == ["Gamma", "Beta", "Alpha"]
    assert names(operator, "ordering=created_at") == ["Beta", "Alpha", "Gamma"]


def test_rows_without_a_value_come_last_in_both_directions(operator: Client) -> None:
    make_facts(make_tenant(company_name="Little"), mrr=1)
    make_tenant(company_name="Unknown")
    make_facts(make_tenant(company_name="Much"), mrr=9)
    assert names(operator, "ordering=mrr") == ["Little", "Much", "Unknown"]
    assert names(operator, "ordering=-mrr") == ["Much", "Little", "Unknown"]


def test_the_default_order_is_one_that_the_index_has() -> None:
    ordered = Ordering("created_at").apply(Tenant.objects.all(), "-created_at")
    assert "NULLS" not in str(ordered.query)


def test_counting_that_takes_too_long_becomes_an_estimate_that_says_so(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        make_tenant()
    slow = "SELECT pg_sleep(2)"

    def count(self: "QuerySet[Any]") -> int:
        with connection.cursor() as cursor:
            cursor.execute(slow)
        return 0

    monkeypatch.setattr(paging, "COUNT_MILLISECONDS", 20)
    monkeypatch.setattr(QuerySet, "count", count)
    found = pagination(operator, "limit=2")
    assert found["total_is_estimate"] is True
    assert found["total"] >= 3
    assert found["has_more"] is True


def test_the_time_limit_of_a_count_ends_with_it() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        before = cursor.fetchone()
        paging.count(Tenant.objects.all())
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == before


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1", "＋1", "－1", "＠x", " =1", "\u3000=1"],
)
def test_a_cell_that_a_spreadsheet_would_run_is_quoted(text: str) -> None:
    assert harmless(text) == f"'{text}"


def test_plain_cells_stay_as_they_are() -> None:
    assert [cell(value) for value in (None, True, -5, 1.5, "a-b", {"a": 1})] == [
        "",
        "true",
        "-5",
        "1.5",
        "a-b",
        '{"a":1}',
    ]


def test_csv_streams_the_same_selection(operator: Client) -> None:
    make_tenant(company_name='=HYPERLINK("x")')
    make_tenant(company_name='Comma, "quote"')
    response = operator.get(f"{PREFIX}?format=csv")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="notes.csv"'
    assert response["Cache-Control"] == "no-store"
    rows = list(csv.DictReader(io.StringIO(b"".join(response).decode())))
    assert [row["company"] for row in rows] == ['\'=HYPERLINK("x")', 'Comma, "quote"']


def test_a_long_table_comes_in_pieces() -> None:
    pieces = list(encoded(["n"], ({"n": number} for number in range(1000))))
    assert len(pieces) > 3
    assert b"".join(pieces).count(b"\r\n") == 1001
