"""What this app tells of a tenant: figures and export."""

import pytest

from apps.core.ids import new_id
from apps.tenants.aspects import OWN
from apps.tenants.services import create_test_tenant, suspend_tenant
from tests.factories import actor


@pytest.mark.django_db
def test_summary_and_export_cover_the_tenants_own_tables_without_secrets() -> None:
    tenant = create_test_tenant(
        actor=actor(), company_name="Acme", owner_email="jane@people.example", plan="starter"
    ).tenant
    suspend_tenant(actor=actor(), tenant_id=tenant.id, reason="secret note")
    assert OWN.summary is not None
    assert OWN.export is not None
    assert OWN.summary(tenant.id) == {"workspaces": 2, "keys_in_force": 1}
    rows = list(OWN.export(tenant.id))
    assert [row["kind"] for row in rows] == [
        "tenant", "workspace", "workspace", "key", "facts", "status_change", "status_change",
    ]  # fmt: skip
    assert rows[0]["owner_email"] == "jane@people.example"
    assert "digest" not in str(rows)
    assert list(OWN.export(new_id())) == []
