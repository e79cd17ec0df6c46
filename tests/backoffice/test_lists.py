"""Lists: a constant number of queries, never a count; pages, filters, order, search, suggestions."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.backoffice import listing
from apps.core.clock import now
from apps.core.enums import JobEngine, JobStatus
from apps.core.ids import new_id
from apps.core.models import Job
from apps.core.write import Target, write
from apps.tenants.enums import TenantStatus
from apps.users.models import User
from tests.backoffice.visits import visitor
from tests.factories import actor, make_facts, make_member, make_staff, make_tenant, make_user


def fill(path: str, count: int) -> None:
    """So many rows of a section, each with what its cells read."""
    for number in range(count):
        match path:
            case "users":
                make_member(make_tenant())
            case "staff":
                make_staff("ops")
            case "tenants":
                make_facts(make_tenant(), members=number, mrr=Decimal(number), currency="USD")
            case "audit":
                with write("thing.change", actor=actor(), target=Target(type="thing", id=str(number))) as w:
                    w.changed(before={"size": 1}, after={"size": 2})
            case "jobs":
                kept = {"status": JobStatus.COMPLETED, "finished_at": now()}
                Job.objects.create(
                    id=new_id(), name="users.prune", engine=JobEngine.CELERY, queue="default", **kept
                )


def at_the_door(client: Client) -> int:
    """What every request asks before a page is built: session, person, last seen."""
    with CaptureQueriesContext(connection) as queries:
        client.get("/backoffice/users/suggest/?q=")
    return len(queries)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["users", "staff", "tenants", "audit", "jobs", "plans"])
def test_list_asks_as_often_for_a_hundred_rows_as_for_twenty(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE_SIZE", 120)
    client = visitor("super_admin")
    client.get(f"/backoffice/{path}/")  # what a process reads once has been read
    asked = {}
    for count in (20, 80):
        fill(path, count)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            response = client.get(f"/backoffice/{path}/")
        assert response.status_code == 200
        asked[count] = len(queries)
        assert not [
            query for query in queries.captured_queries if "COUNT(*)" in query["sql"] and path != "plans"
        ]
    assert asked[20] == asked[80] <= at_the_door(client) + 4, asked


@pytest.mark.django_db
@pytest.mark.parametrize(
    "tab", ["overview", "plan", "usage", "members", "workspaces", "keys", "jobs", "timeline"]
)
def test_tab_of_a_tenant_asks_as_often_for_many_members_as_for_few(tab: str) -> None:
    tenant, client = make_tenant(), visitor("super_admin")
    client.get(f"/backoffice/tenants/{tenant.public_id}/")
    asked = []
    for _ in range(2):
        for _ in range(6):
            user = make_member(tenant)
            with write("thing.change", actor=actor(), target=user.audit_target()):
                pass
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/backoffice/tenants/{tenant.public_id}/?tab={tab}").status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1] <= at_the_door(client) + 10


@pytest.mark.django_db
def test_pages_show_every_row_once_and_end_without_a_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE_SIZE", 4)
    client = visitor("admin")
    for number in range(8):
        make_user(email=f"page{number}@pages.example")
    seen: list[str] = []
    for number in range(1, 4):
        page = client.get(f"/backoffice/users/?page={number}&q=@pages.example").content.decode()
        seen += [part.split("@")[0] for part in page.split(">page")[1:]]
        assert ('rel="next"' in page) == (number == 1)
    assert sorted(seen) == sorted(str(number) for number in range(8))
    assert "There are no rows on this page" in client.get("/backoffice/users/?page=9").content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999", "²", "1e3", ""])
def test_page_that_is_none_is_the_first_or_the_last_one(page: str) -> None:
    assert visitor("admin").get("/backoffice/users/", {"page": page}).status_code == 200


@pytest.mark.django_db
def test_tenants_sort_by_mrr_users_and_age_with_the_unknown_last() -> None:
    rich, poor, unknown = (make_tenant(company_name=name) for name in ("Rich", "Poor", "Unknown"))
    make_facts(rich, mrr=Decimal(900), members=1)
    make_facts(poor, mrr=Decimal(5), members=30)
    client = visitor("finance")

    def order(sort: str) -> list[str]:
        page = client.get(f"/backoffice/tenants/?sort={sort}").content.decode()
        places = {name: page.index(f">{name}<") for name in ("Rich", "Poor", "Unknown")}
        return sorted(places, key=lambda name: places[name])

    assert order("-mrr") == ["Rich", "Poor", "Unknown"]
    assert order("mrr") == ["Unknown", "Poor", "Rich"]
    assert order("-users") == ["Poor", "Rich", "Unknown"]
    assert order("-created") == ["Unknown", "Poor", "Rich"]
    assert order("company") == ["Poor", "Rich", "Unknown"]
    assert order("nonsense") == order("-created")
    assert unknown.facts.mrr is None


@pytest.mark.django_db
def test_colours_say_what_the_contract_says() -> None:
    make_tenant(company_name="Payer", status=TenantStatus.ACTIVE)
    make_tenant(company_name="Trier", status=TenantStatus.TRIAL)
    churned = make_tenant(company_name="Goner", status=TenantStatus.CANCELLED, cancelled_at=now())
    make_member(churned, name="Was Here")
    make_user(name="Locked Out", suspended_at=now())
    client = visitor("admin")
    tenants = client.get("/backoffice/tenants/").content.decode()
    for name, tone in (("Payer", "green"), ("Trier", "blue"), ("Goner", "grey")):
        assert f"sw-row-{tone}" in row(tenants, name)
    users = client.get("/backoffice/users/").content.decode()
    assert "sw-row-red" in row(users, "Locked Out")
    assert "sw-badge sw-orange" in row(users, "Was Here")


def row(page: str, text: str) -> str:
    return next(part for part in page.split("<tr ")[1:] if f">{text}<" in part)


@pytest.mark.django_db
def test_filters_narrow_together_and_unknown_choices_do_nothing() -> None:
    pro, starter = (
        make_tenant("pro", company_name="Pro Co"),
        make_tenant("starter", company_name="Starter Co"),
    )
    make_member(pro, "owner", name="Pro Owner")
    make_member(starter, "owner", name="Starter Owner")
    make_member(pro, "member", name="Pro Member", suspended_at=now())
    client = visitor("admin")

    def names(query: str) -> set[str]:
        page = client.get(f"/backoffice/users/?{query}").content.decode()
        return {name for name in ("Pro Owner", "Starter Owner", "Pro Member") if f">{name}<" in page}

    assert names("plan=pro") == {"Pro Owner", "Pro Member"}
    assert names("role=owner") == {"Pro Owner", "Starter Owner"}
    assert names("plan=pro&role=owner") == {"Pro Owner"}
    assert names("status=suspended") == {"Pro Member"}
    assert names(f"tenant={starter.slug}") == {"Starter Owner"}
    assert names(f"tenant={starter.public_id}") == {"Starter Owner"}
    assert names("tenant=starter%20co") == {"Starter Owner"}
    assert names("tenant=nobody") == set()
    assert names("plan=nonsense&role=%00") == {"Pro Owner", "Starter Owner", "Pro Member"}


@pytest.mark.django_db
def test_search_suggests_while_typing_and_leads_to_the_page() -> None:
    user = make_user(name="Grace Hopper", email="grace@navy.example")
    client = visitor("admin")
    for typed in ("grace", "hopp", "navy.exa", user.public_id):
        assert user.public_id in client.get("/backoffice/users/suggest/", {"q": typed}).content.decode()
    assert client.get("/backoffice/users/suggest/", {"q": "g"}).content.strip() == b""
    nothing = client.get("/backoffice/users/?q=nobody-like-this").content.decode()
    assert "Nothing matches “nobody-like-this”" in nothing


@pytest.mark.django_db
@pytest.mark.parametrize(
    "typed", ["%", "_", "\\", "'", "<script>alert(1)</script>", "\u0000", "a" * 500, "(", "🙂"]
)
def test_odd_input_is_neither_an_error_nor_markup(typed: str) -> None:
    make_user(name="<b>Bold</b>", email="odd@input.example")
    client = visitor("super_admin")
    for path in ("users", "tenants", "staff", "plans", "audit", "jobs"):
        page = client.get(f"/backoffice/{path}/", {"q": typed, "sort": typed, "status": typed, "page": typed})
        assert page.status_code == 200
        assert b"<script>alert" not in page.content
        assert b"<b>Bold" not in page.content
    assert client.get("/backoffice/search/", {"q": typed}).status_code == 200


@pytest.mark.django_db
def test_tenant_is_found_by_company_owner_slug_and_id() -> None:
    tenant = make_tenant(company_name="Fjord & Sons", owner_email="olav@fjord.example", slug="fjord-sons")
    make_tenant(company_name="Other")
    client = visitor("admin")
    for typed in ("fjord", "& sons", "olav@", "fjord-sons", tenant.public_id):
        page = client.get("/backoffice/tenants/", {"q": typed}).content.decode()
        assert tenant.public_id in page, typed
        assert ">Other<" not in page, typed


@pytest.mark.django_db
def test_audit_list_narrows_by_action_actor_tenant_and_day(db: None) -> None:
    tenant = make_tenant()
    for action, target in (
        ("tenant.suspend", tenant.audit_target()),
        ("plan.update", Target(type="plan", id="p")),
    ):
        with write(action, actor=actor(), target=target, reason=f"because of {action}"):
            pass
    client = visitor("super_admin")

    def found(query: str) -> set[str]:
        page = client.get(f"/backoffice/audit/?{query}").content.decode()
        return {action for action in ("tenant.suspend", "plan.update") if f"because of {action}" in page}

    tomorrow = (now() + timedelta(days=1)).date()
    assert found("action=tenant") == {"tenant.suspend"}
    assert found("action=plan.update") == {"plan.update"}
    assert found(f"tenant={tenant.public_id}") == {"tenant.suspend"}
    assert found("tenant=nonsense") == set()
    assert found("actor=usr_00000000000000000000000000") == {"tenant.suspend", "plan.update"}
    assert found("outcome=denied") == set()
    assert found(f"since={tomorrow}") == set()
    assert found("q=because%20of%20plan") == {"plan.update"}
    assert found("since=nonsense") == {"tenant.suspend", "plan.update"}


def test_listing_never_reads_beyond_the_last_page() -> None:
    assert listing.LAST_PAGE * listing.PAGE_SIZE <= 10_000
    assert User._meta.get_field("email") is not None
