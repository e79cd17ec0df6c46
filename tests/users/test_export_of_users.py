"""People as a file."""

import csv
import io
from typing import Any

import pytest

from apps.core.objectstore import store
from apps.core.principal import Principal
from apps.exports import services
from apps.exports.errors import ExportParamsInvalid
from apps.users.enums import MembershipRole
from tests.exports.conftest import objects
from tests.factories import actor, make_member, make_tenant, make_user, staff_principal

__all__ = ["objects"]
pytestmark = pytest.mark.django_db


def exported(principal: Principal, **params: Any) -> list[dict[str, str]]:
    export = services.request_export(actor=principal, kind="users", params=params)
    services.build_export(actor=actor(), export_id=export.id, tell=lambda *_: None)
    with store().open(export.object_key) as opened:
        text = b"".join(opened.chunks).decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_export_holds_everybody_over_its_pages_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.users.exporting._PAGE", 3)
    tenant = make_tenant()
    people = [make_member(tenant, name=f"=Person {place}") for place in range(8)]
    rows = exported(staff_principal("admin"), tenant_id=tenant.public_id)
    assert [row["id"] for row in rows] == [user.public_id for user in reversed(people)]
    assert rows[0]["email"] == people[-1].email
    assert rows[0]["name"] == "'=Person 7"
    assert rows[0]["tenant_id"] == tenant.public_id
    everybody = exported(staff_principal("admin"))
    assert {row["id"] for row in everybody} > {user.public_id for user in people}


def test_export_for_support_is_masked_and_for_qa_of_test_tenants() -> None:
    test, live = make_tenant(is_test=True), make_tenant()
    tested, real = make_member(test, name="Tessa Test"), make_member(live, name="Rea Real")
    masked = exported(staff_principal("support"))
    assert {row["name"] for row in masked} >= {"T*** T***", "R*** R***"}
    assert not {real.email, tested.email, real.name} & {value for row in masked for value in row.values()}
    assert {row["id"] for row in exported(staff_principal("qa"))} == {tested.public_id}


def test_export_takes_the_filters_of_the_list() -> None:
    owner = make_member(make_tenant(), MembershipRole.OWNER)
    assert [row["id"] for row in exported(staff_principal("admin"), role="owner")] == [owner.public_id]
    assert [row["id"] for row in exported(staff_principal("admin"), search=owner.email)] == [owner.public_id]
    assert exported(staff_principal("admin"), status="suspended") == []


@pytest.mark.parametrize(
    "params", [{"limit": 5}, {"status": "deleted"}, {"role": ""}, {"tenant_id": "acme"}, {"search": "a\x00"}]
)
def test_export_with_wrong_parameters_is_refused(params: dict[str, Any]) -> None:
    make_user()
    with pytest.raises(ExportParamsInvalid) as refused:
        exported(staff_principal("admin"), **params)
    assert list(refused.value.details) == list(params)
