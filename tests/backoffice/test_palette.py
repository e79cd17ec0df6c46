"""The command palette: finds what the reader may see, as it is named now; masked readers find no people by words."""

import re
from typing import Any

import pytest
from django.test import Client

from apps.backoffice.model_admin import SUGGESTED
from apps.plans.models import Plan
from tests.backoffice.visits import World, visitor
from tests.factories import make_tenant, make_user

pytestmark = pytest.mark.django_db


def found(client: Client, term: str) -> str:
    answer = client.get("/backoffice/search/", {"q": term}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return answer.content.decode()


def kinds(page: str) -> list[str]:
    return re.findall(r'class="sw-palette-kind"[^>]*>([^<]+)<', page)


def test_nothing_typed_shows_the_readers_pages_and_actions() -> None:
    page = found(visitor("finance"), "")
    assert kinds(page) == ["Pages", "Actions"]
    assert "/backoffice/tenants/" in page
    assert "/backoffice/exports/new/" in page
    assert "/backoffice/users/" not in page
    assert "/backoffice/tenants/create-test/" not in page
    assert "/accounts/password/change/" in page


def test_people_tenants_plans_and_keys_are_found_by_a_part_of_their_name() -> None:
    user = make_user(name="Orla Growthman", email="orla@x.example")
    tenant = make_tenant("growth", company_name="Regrowth Farms")
    page = found(visitor("super_admin"), "growth")
    assert kinds(page) == ["Plans", "Users", "Tenants"]  # the plan's name begins so
    for public_id in (user.public_id, tenant.public_id, Plan.objects.get(slug="growth").public_id):
        assert f"/{public_id}/" in page


def test_kind_whose_title_begins_as_typed_stands_first() -> None:
    make_user(name="Nora West", email="nora@northwind.example")
    make_tenant(company_name="Northwind Traders")
    client = visitor("super_admin")
    assert kinds(found(client, "north")) == ["Tenants", "Users"]
    assert kinds(found(client, "nora")) == ["Users"]


def test_pages_and_actions_are_found_by_the_beginning_of_a_word() -> None:
    client = visitor("super_admin")
    assert "Create test tenant" in found(client, "tena")
    assert "Create test tenant" in found(client, "test ten")
    assert "Pages" not in kinds(found(client, "ans"))  # inside of “Plans”


@pytest.mark.parametrize("role", ["ops", "finance"])
def test_who_may_not_read_people_finds_none(world: World, role: str) -> None:
    person = world.places.live.user
    page = found(visitor(role), person.email)
    assert person.public_id not in page
    assert world.places.live.tenant.public_id in found(visitor(role), world.places.live.tenant.company_name)


def test_qa_finds_test_tenants_alone(world: World) -> None:
    client = visitor("qa")
    live, test = world.places.live.tenant, world.places.test.tenant
    assert test.public_id in found(client, test.company_name)
    assert live.public_id not in found(client, live.company_name)


def test_renamed_tenant_is_found_under_its_new_name_alone() -> None:
    client = visitor("admin")
    tenant = make_tenant(company_name="Before Ltd")
    assert tenant.public_id in found(client, "before")
    tenant.company_name = "After Ltd"
    tenant.save(update_fields=["company_name"])
    assert tenant.public_id not in found(client, "before")
    assert "After Ltd" in found(client, "after")
    public_id = tenant.public_id
    tenant.delete()
    assert public_id not in found(client, "after")


def test_each_kind_shows_a_handful_and_leads_to_the_list() -> None:
    for number in range(SUGGESTED + 2):
        make_tenant(company_name=f"Handful {number}")
    page = found(visitor("admin"), "handful")
    assert len(re.findall(r"/backoffice/tenants/tnt_", page)) == SUGGESTED
    assert "/backoffice/tenants/?q=handful" in page


def test_nothing_found_is_said() -> None:
    client = visitor("admin")
    assert "Nothing found for “zzzqqq”" in found(client, "zzzqqq")
    assert "at least two letters" in found(client, "!")


def test_masked_reader_is_told_how_people_are_found() -> None:
    assert "Users: whole e-mail or id" in found(visitor("support"), "zzzqqq")


def test_lines_are_options_of_one_list_with_ids_of_their_own() -> None:
    make_tenant("growth", company_name="Growth & <Sons>")
    page = found(visitor("super_admin"), "growth")
    options = re.findall(r'<a role="option" id="([^"]+)"', page)
    assert page.count('role="listbox"') == 1
    assert len(options) == len(set(options)) >= 2
    assert "Growth &amp; &lt;Sons&gt;" in page


def test_palette_asks_a_constant_number_of_queries(django_assert_max_num_queries: Any) -> None:
    for number in range(SUGGESTED):
        make_tenant(company_name=f"Many {number}")
        make_user(name=f"Many {number}")
    client = visitor("super_admin")
    found(client, "many")
    with django_assert_max_num_queries(15):
        found(client, "many")
