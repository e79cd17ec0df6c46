"""The door: who is let in, what every answer carries, and the pages that say no."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from apps.audit.models import AuditEntry
from tests.backoffice.visits import World, visitor
from tests.factories import make_staff, make_user
from tests.users.support import sign_in


@pytest.mark.django_db
def test_nobody_signed_in_is_led_to_the_sign_in_page_and_back() -> None:
    response = Client().get("/backoffice/tenants/?status=trial")
    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=%2Fbackoffice%2Ftenants%2F%3Fstatus%3Dtrial"


@pytest.mark.django_db
def test_nobody_signed_in_is_led_there_from_a_dialog_too() -> None:
    response = Client().get("/backoffice/tenants/create-test/", headers={"HX-Request": "true"})
    assert response.status_code == 204
    assert response["HX-Redirect"].startswith("/accounts/login/?next=")


@pytest.mark.django_db
def test_user_of_a_tenant_is_refused_without_a_word_of_what_is_inside() -> None:
    client = Client()
    client.force_login(make_user())
    response = client.get("/backoffice/")
    assert response.status_code == 403
    assert b"for our staff" in response.content
    assert b"Tenants" not in response.content


@pytest.mark.django_db
def test_staff_member_who_left_is_refused() -> None:
    client = Client()
    client.force_login(make_staff("admin", is_active=False))
    assert client.get("/backoffice/").status_code == 403


@pytest.mark.django_db
def test_super_admin_without_second_factor_sees_no_page_before_it_is_set_up() -> None:
    client = Client()
    sign_in(client, make_staff("super_admin"), "password")
    for address in ("/backoffice/", "/backoffice/users/", "/backoffice/nothing/"):
        response = client.get(address)
        assert response.status_code == 302
        assert response["Location"].startswith("/accounts/2fa/")


@pytest.mark.django_db
def test_address_without_slash_leads_to_the_page() -> None:
    client = visitor("admin")
    assert client.get("/backoffice")["Location"] == "/backoffice/"
    assert client.get("/backoffice/users")["Location"] == "/backoffice/users/"


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/backoffice/", "/backoffice/audit/", "/backoffice/nothing/here/"])
def test_every_answer_carries_its_policy_and_is_never_stored(address: str) -> None:
    response = visitor("admin").get(address)
    assert response["Cache-Control"] == "no-store"
    policy = response["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe-eval" not in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.django_db
def test_policy_of_the_back_office_stands_nowhere_else() -> None:
    assert "Content-Security-Policy" not in Client().get("/healthz")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address",
    [
        "/backoffice/nothing/",
        "/backoffice/users/usr_00000000000000000000000000/",
        "/backoffice/users/tnt_00000000000000000000000000/",
        "/backoffice/users/%00/",
        "/backoffice/tenants/..%2f..%2f/",
        "/backoffice/users/usr_00000000000000000000000000/suspend/",
        "/backoffice/users/1/unknown-action/",
        "/backoffice/login/",
        "/backoffice/r/1/1/",
        "/backoffice/jsi18n/",
        "/backoffice/autocomplete/",
    ],
)
def test_unknown_id_or_address_is_a_404_page_in_the_same_design(address: str) -> None:
    response = visitor("super_admin").get(address)
    assert response.status_code == 404
    assert b"There is nothing here" in response.content
    assert b'class="sw-nav"' in response.content


@pytest.mark.django_db
def test_refusal_in_a_dialog_is_a_dialog(world: World) -> None:
    address = f"/backoffice/tenants/{world.live['tenants']}/suspend/"
    response = visitor("admin").get(address, headers={"HX-Request": "true"})
    assert response.status_code == 403
    assert b"<html" not in response.content
    assert b">super_admin<" in response.content


@pytest.mark.django_db
def test_refused_page_is_put_into_the_trail(world: World) -> None:
    visitor("admin").get("/backoffice/audit/")
    entry = AuditEntry.objects.get(outcome="denied")
    assert (entry.action, entry.resource_id, entry.via) == ("audit.read", "/backoffice/audit/", "backoffice")


@pytest.mark.django_db
def test_look_at_a_person_is_put_into_the_trail_with_the_address(world: World) -> None:
    client = visitor("admin")
    user = world.places.live.user
    client.get(f"/backoffice/users/{user.public_id}/")
    client.get(f"/backoffice/users/{user.public_id}/?tab=timeline")
    looks = AuditEntry.objects.filter(via="backoffice", person_id=user.pk).order_by("at")
    assert [entry.action for entry in looks] == ["user.view", "user.view_audit_trail"]
    assert "127.0.0.1" in looks[0].details.get(part="actor").body


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/backoffice/", "/backoffice/users/", "/backoffice/tenants/"])
def test_list_takes_no_post_and_so_no_action_across_all_rows(world: World, address: str) -> None:
    response = visitor("super_admin").post(address, {"action": "delete_selected", "select_across": "1"})
    assert response.status_code == 405


@pytest.mark.django_db
def test_dialog_without_csrf_token_changes_nothing(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    sign_in(client, make_staff("super_admin"))
    user = world.places.live.user
    response = client.post(f"/backoffice/users/{user.public_id}/suspend/", {"reason": "phished"})
    assert response.status_code == 403
    user.refresh_from_db()
    assert user.suspended_at is None


@pytest.mark.django_db
def test_djangos_own_log_stays_empty(world: World) -> None:
    client = visitor("super_admin")
    client.post(f"/backoffice/users/{world.live['users']}/suspend/", {"reason": "phished"})
    assert not LogEntry.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["404.html", "403.html", "500.html"])
def test_djangos_own_refusals_have_pages_that_need_nothing(name: str) -> None:
    response = Client(raise_request_exception=False).get("/nothing-at-all")
    assert response.status_code == 404
    assert b"There is nothing here" in response.content
    assert b"backoffice/steward.css" in response.content
