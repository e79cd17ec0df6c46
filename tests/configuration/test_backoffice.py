"""The configuration's pages and dialogs."""

from typing import Any

import pytest
from django.test import Client

from apps.configuration import services
from apps.configuration.models import ConfigChange, ConfigValue, DeclaredKey
from apps.configuration.services import KeyDeclaration
from tests.backoffice.visits import visitor
from tests.factories import actor, make_tenant

pytestmark = pytest.mark.django_db

BASE = "/backoffice/configuration/"
IDLE = "tenant.session_idle_minutes"


@pytest.fixture
def chief() -> Client:
    return visitor("super_admin")


def text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


def submit(client: Client, path: str, **data: Any) -> tuple[int, str]:
    response = client.post(path, {"reason": "a ticket asks for it", **data})
    return response.status_code, response.content.decode()


def test_catalogue_shows_default_platform_and_tenant_side_by_side(chief: Client) -> None:
    tenant = make_tenant()
    services.set_value(actor=actor(), key=IDLE, value="46")
    services.set_value(actor=actor(), key=IDLE, value="45", scope="TENANT", tenant_id=tenant.id)
    page = text(chief, f"{BASE}?q=idle+person&tenant={tenant.public_id}")
    row = page[page.index(IDLE) :]
    cells = [row.index(f">{value}<") for value in ("30", "46", "45")]
    assert cells == sorted(cells)
    assert "governance_scan_mode" not in page
    whole = text(chief, BASE)
    assert "governance_scan_mode" in whole
    assert "Nothing matches" in text(chief, f"{BASE}?q=zzz")


def test_page_of_a_key_shows_values_and_history_with_differences(chief: Client) -> None:
    services.set_value(actor=actor(), key="trials.reminder_days", value="[5]")
    services.set_value(actor=actor(), key="trials.reminder_days", value="[9,2]", reason="<b>quieter</b>")
    history = text(chief, f"{BASE}trials.reminder_days/?tab=history")
    assert "<del>[5]</del>" in history
    assert "<ins>[9,2]</ins>" in history
    assert "&lt;b&gt;quieter" in history
    assert "[9,2]" in text(chief, f"{BASE}trials.reminder_days/")
    assert chief.get(f"{BASE}nobody.knows/").status_code == 404


def test_set_dialog_sets_for_platform_and_tenant(chief: Client) -> None:
    tenant = make_tenant()
    assert submit(chief, f"{BASE}{IDLE}/set/", scope="PLATFORM", value="50", version="0")[0] == 302
    code, _ = submit(chief, f"{BASE}{IDLE}/set/", scope="TENANT", tenantId=tenant.public_id, value="55")
    assert code == 302
    assert {(row.scope, row.value) for row in ConfigValue.objects.all()} == {
        ("PLATFORM", "50"),
        ("TENANT", "55"),
    }
    page = text(chief, f"/backoffice/tenants/{tenant.public_id}/?tab=configuration")
    assert ">55<" in page


@pytest.mark.parametrize(
    ("data", "status", "sentence"),
    [
        ({"scope": "PLATFORM", "value": "4", "version": "0"}, 400, "at least 5"),
        ({"scope": "TENANT", "value": "40"}, 400, "needs a tenantId"),
        ({"scope": "TENANT", "value": "40", "tenantId": "acme"}, 400, "written tnt_"),
        ({"scope": "PLATFORM", "value": "40", "version": "7"}, 412, "has changed since"),
        ({"scope": "GALAXY", "value": "40"}, 400, "valid choice"),
    ],
)
def test_set_dialog_says_what_is_wrong_and_sets_nothing(
    chief: Client, data: dict[str, str], status: int, sentence: str
) -> None:
    code, page = submit(chief, f"{BASE}{IDLE}/set/", **data)
    assert code == status
    assert sentence in page
    assert not ConfigValue.objects.exists()


def test_archive_and_restore_dialogs(chief: Client) -> None:
    row = services.set_value(actor=actor(), key=IDLE, value="45")
    assert submit(chief, f"{BASE}{IDLE}/archive/", row=row.public_id)[0] == 302
    assert not ConfigValue.objects.filter(is_archived=False).exists()
    change = ConfigChange.objects.order_by("id")[0]
    assert submit(chief, f"{BASE}{IDLE}/restore/", row=str(change.id))[0] == 302
    assert ConfigValue.objects.get(is_archived=False).value == "45"
    other = services.set_value(actor=actor(), key="governance_scan_mode", value="parallel")
    assert submit(chief, f"{BASE}{IDLE}/archive/", row=other.public_id)[0] == 400


def test_operators_key_is_declared_changed_and_removed(chief: Client) -> None:
    fields = {
        "description": "Lines.",
        "type": "integer",
        "default": "3",
        "minimum": "1",
        "maximum": "9",
        "choices": "x",
    }
    assert submit(chief, f"{BASE}declare/", name="mail.lines", **fields)[0] == 302
    assert DeclaredKey.objects.get().knob().shape.describe() == "integer, 1 to 9"
    page = f"{BASE}mail.lines/"
    assert "Declared by operators" in text(chief, BASE)
    assert submit(chief, f"{page}set/", scope="PLATFORM", value="9", version="0")[0] == 302
    code, said = submit(chief, f"{page}redeclare/", **{**fields, "maximum": "8"})
    assert (code, "fit this declaration" in said) == (409, True)
    assert submit(chief, f"{page}undeclare/")[0] == 409
    services.archive_value(actor=actor(), value_id=ConfigValue.objects.get().id)
    assert submit(chief, f"{page}undeclare/")[0] == 302
    assert chief.get(page).status_code == 404
    assert submit(chief, f"{BASE}{IDLE}/undeclare/")[0] == 404


def test_secret_is_masked_on_every_page_and_not_sent_back_into_the_form(chief: Client) -> None:
    services.declare_key(
        actor=actor(),
        name="relay.password",
        declaration=KeyDeclaration(type="string", description="P", secret=True),
    )
    code, _ = submit(chief, f"{BASE}relay.password/set/", scope="PLATFORM", value=" hunter2 ", version="0")
    assert code == 302
    services.set_value(actor=actor(), key="relay.password", value="hunter3")
    for path in (
        "",
        "relay.password/",
        "relay.password/?tab=history",
        "relay.password/set/",
        "relay.password/restore/",
    ):
        page = text(chief, BASE + path)
        assert "hunter" not in page, path
        assert "***" in page or path.endswith("set/")
