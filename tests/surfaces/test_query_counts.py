"""A list costs the same few queries however many rows it has."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.core.principal import system
from apps.core.write import Target, write
from apps.surfaces.kit.documents import routes_of
from apps.surfaces.kit.doors import Route
from apps.surfaces.kit.surface import Surface, surfaces
from apps.tenants.models import TenantKey
from apps.tenants.services import override_plan
from apps.tenants.services.keys import issue_key
from apps.tenants.terms import PlanTerms
from tests.factories import make_flag, make_member, make_tenant
from tests.surfaces.expectations import EXPECTATIONS
from tests.surfaces.places import Place, make_places
from tests.surfaces.sending import sample_of, send

MOST = 6
LISTS = [
    (surface, route)
    for surface in surfaces()
    for route in routes_of(surface.name)
    if route.declaration is not None and route.declaration.paged
]
# What a transaction is made of asks nothing; the limit of a count is set back only where a test stands around it; the
# keys that sign are read anew when their topic is heard of, at whatever moment that is.
_FRAME = (
    *("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT", "ROLLBACK", "SELECT current_setting"),
    'SELECT "identity_signing_key"',
)


def _grow(place: Place, first: int, last: int) -> None:
    """Rows of every kind that a list shows."""
    actor = system("tests")
    for number in range(first, last):
        tenant = make_tenant(company_name=f"Tenant {number}")
        if not TenantKey.objects.filter(tenant=tenant).exists():
            issue_key(tenant)
        override_plan(actor=actor, tenant_id=tenant.pk, terms=PlanTerms(limits={"max_users": number + 1}))
        make_member(tenant)
        make_member(place.tenant)
        make_flag(f"flag-{number}")
        with write(
            "tests.happened", actor=actor, target=Target("user", place.user.public_id, None, place.user.pk)
        ):
            pass


def _queries(client: Client, route: Route, place: Place, query: dict[str, str]) -> list[str]:
    sample = sample_of(route)
    send(client, sample, place, query={**sample.query, **query})  # fills what a process keeps
    with CaptureQueriesContext(connection) as captured:
        response = send(client, sample, place, query={**sample.query, **query})
        if response.streaming:
            b"".join(response)
    assert response.status_code == sample.status, response.content
    return [query["sql"] for query in captured if not (query["sql"] or "").startswith(_FRAME)]


def _without_count(queries: list[str]) -> list[str]:
    return [
        query for query in queries if "core_row_count" not in query and not query.startswith("SELECT COUNT(")
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(("surface", "route"), LISTS, ids=[str(route) for _, route in LISTS])
def test_list_of_thirty_rows_makes_the_queries_of_a_list_of_two(surface: Surface, route: Route) -> None:
    place = make_places().live
    sample = sample_of(route)
    if sample.prepare is not None:
        sample.prepare(place)
    client = EXPECTATIONS[surface.name].mighty(route)
    action = route.declaration
    assert action is not None
    style = action.paging or surface.paging
    assert style is not None
    size = next((name for name in ("limit", "pageSize") if name in style.query().get_fields()), None)
    page: dict[str, str] = {size: "50"} if size else {}
    parts: dict[str, str] = {size: "1"} if size else {}
    # The look at a person's trail writes its row at the first page alone; that is a write, not the list.
    if action.audit is not None and "offset" in style.query().get_fields():
        page, parts = {**page, "offset": "1"}, {**parts, "offset": "1"}
    _grow(place, 0, 2)
    few = _queries(client, route, place, page)
    _grow(place, 2, 30)
    many = _queries(client, route, place, page)
    # A page that holds all there is needs no count, and few rows may be all.
    assert len(_without_count(many)) == len(_without_count(few)), "\n".join(many)
    for queries in (few, many):
        assert len(queries) - len(_without_count(queries)) <= 1, "\n".join(queries)
        assert len(queries) <= MOST, "\n".join(queries)
    assert len(_queries(client, route, place, parts)) <= MOST
