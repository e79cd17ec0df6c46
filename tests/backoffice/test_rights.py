"""Who may open what: every page × every role."""

import pytest

from apps.backoffice.site import site
from apps.core.access import PERMISSIONS, Reach, Role, roles_with
from apps.core.models import IdempotentResponse
from tests.backoffice.visits import ROLES, Page, World, pages, visitor


def holds(role: str, permission: str) -> Reach | None:
    return PERMISSIONS[permission].get(Role(role))


def expected(page: Page, role: str, *, of_test_tenant: bool) -> int:
    """By the matrix alone: 403 names the roles, and what `qa` can't reach is as if it were not there."""
    held = [holds(role, permission) for permission in page.permissions]
    if None in held[:1] or (None in held and "tab" not in page.name):
        return 403
    narrowed = Reach.TEST in held and page.name.split(":")[0] in {"users", "tenants"}
    return 404 if narrowed and page.reaches and not of_test_tenant else 200


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("of_test_tenant", [False, True], ids=["real", "test"])
def test_every_page_opens_for_the_roles_of_the_matrix_alone(
    world: World, role: str, of_test_tenant: bool
) -> None:
    client = visitor(role)
    for page in pages(world.test if of_test_tenant else world.live):
        response = client.get(page.url)
        assert response.status_code == expected(page, role, of_test_tenant=of_test_tenant), page


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_refused_page_names_the_roles_that_have_it(world: World, role: str) -> None:
    client = visitor(role)
    for page in pages(world.live):
        response = client.get(page.url)
        if response.status_code != 403:
            continue
        refused = next(name for name in page.permissions if holds(role, name) is None)
        text = response.content.decode()
        assert "Your roles do not open this page" in text
        for allowed in roles_with(refused):
            assert f">{allowed.value}<" in text, page
        assert f">{role}<" in text


@pytest.mark.django_db
def test_tab_without_right_is_not_offered_and_its_address_shows_the_first_tab(world: World) -> None:
    client = visitor("finance")
    page = client.get(f"/backoffice/tenants/{world.live['tenants']}/?tab=members").content.decode()
    assert "?tab=members" not in page
    assert "History of its status" in page
    assert (
        "?tab=members"
        in visitor("support").get(f"/backoffice/tenants/{world.live['tenants']}/").content.decode()
    )


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_navigation_shows_exactly_the_sections_of_the_role(role: str) -> None:
    text = visitor(role).get("/backoffice/").content.decode()
    for section in site.sections:
        shown = f'href="/backoffice/{section.path}/" title=' in text
        assert shown == (holds(role, section.permission) is not None), section.path


@pytest.mark.django_db
def test_roles_add_up(world: World) -> None:
    client = visitor("finance", "ops")
    assert client.get("/backoffice/jobs/").status_code == 200
    assert client.get("/backoffice/plans/").status_code == 200
    assert client.get("/backoffice/users/").status_code == 403


@pytest.mark.django_db
def test_qa_lists_only_test_tenants_and_their_people(world: World) -> None:
    client = visitor("qa")
    tenants = client.get("/backoffice/tenants/").content.decode()
    assert "Acme test" in tenants
    assert "Acme live" not in tenants
    users = client.get("/backoffice/users/").content.decode()
    assert "zephyrine.test@acme.example" in users
    assert "zephyrine.live@acme.example" not in users


def test_no_model_can_be_added_changed_or_deleted_by_django() -> None:
    for section in site.sections:
        assert section.model is not IdempotentResponse
        assert not section.has_add_permission(None)  # type: ignore[arg-type]  # whoever asks
        assert not section.has_change_permission(None)  # type: ignore[arg-type]
        assert not section.has_delete_permission(None)  # type: ignore[arg-type]
        assert not any(
            name in str(pattern.pattern) for pattern in section.get_urls() for name in ("add/", "delete/")
        )
