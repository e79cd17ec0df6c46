"""Setting, archiving, restoring: what is kept, and what is refused."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.audit.models import AuditDetail, AuditEntry
from apps.configuration import selectors, services
from apps.configuration.errors import ConfigNotFound, KeyUnknown, RevisionGone, TenantUnknown, ValueInvalid
from apps.configuration.models import ConfigChange, ConfigValue
from apps.configuration.services import KeyDeclaration
from apps.core import aspects
from apps.core.errors import PreconditionFailed
from apps.core.ids import new_id
from apps.core.knobs import knob
from apps.core.live import revision
from apps.core.sealing import sealed_columns
from tests.core.processes import in_threads
from tests.factories import actor, make_tenant, staff_principal

IDLE = "tenant.session_idle_minutes"
SECRET = "relay.password"


def declare_secret() -> None:
    services.declare_key(
        actor=actor(),
        name=SECRET,
        declaration=KeyDeclaration(
            type="string", description="The relay's password.", secret=True, tenants_too=True
        ),
    )


@pytest.mark.django_db
def test_set_value_new_key_is_version_1_with_history_audit_and_revision() -> None:
    before = revision("configuration")
    row = services.set_value(actor=actor(), key=IDLE, value="045", description="ask Kim", reason="shorter")
    assert (row.value, row.version, row.scope, row.description) == ("45", 1, "PLATFORM", "ask Kim")
    assert row.public_id.startswith("cfg_")
    change = ConfigChange.objects.get()
    assert (change.old_value, change.new_value, change.changed_by) == (None, "45", actor().id)
    assert AuditEntry.objects.get().action == "configuration.set"
    assert revision("configuration") == before + 1


@pytest.mark.django_db
def test_set_value_again_raises_version_and_keeps_what_was() -> None:
    first = services.set_value(actor=actor(), key=IDLE, value="45", description="note")
    second = services.set_value(actor=actor(), key=IDLE, value="60")
    assert (second.id, second.version, second.description) == (first.id, 2, "note")
    changes = list(ConfigChange.objects.order_by("id").values_list("old_value", "new_value", "version"))
    assert changes == [(None, "45", 1), ("45", "60", 2)]


@pytest.mark.django_db
def test_set_value_unchanged_writes_no_revision_but_an_audit_row() -> None:
    services.set_value(actor=actor(), key=IDLE, value="45")
    row = services.set_value(actor=actor(), key=IDLE, value="45")
    assert row.version == 1
    assert ConfigChange.objects.count() == 1
    assert list(AuditEntry.objects.order_by("seq").values_list("metadata", flat=True)) == [
        {},
        {"unchanged": True},
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("key", "value"),
    [
        (IDLE, "4"), (IDLE, "1441"), (IDLE, "4.5"), (IDLE, ""), (IDLE, " 45"), (IDLE, "٤٥"), (IDLE, "1" * 400),
        ("governance_scan_mode", "Serial"),
        ("logs.request_sample_rate", "1.01"), ("logs.request_sample_rate", "NaN"),
        ("trials.reminder_days", "[3,3]"), ("trials.reminder_days", "[true]"), ("trials.reminder_days", "{"),
        ("trials.reminder_days", "[" * 100 + "]" * 100),
    ],
)  # fmt: skip
def test_set_value_outside_of_its_shape_is_refused_and_nothing_is_written(key: str, value: str) -> None:
    with pytest.raises(ValueInvalid) as refused:
        services.set_value(actor=actor(), key=key, value=value)
    assert refused.value.code == "ADM_CONFIG_VALUE_INVALID"
    assert list(refused.value.details) == ["value"]
    assert not ConfigValue.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["nobody.knows_this", "", "A.b", "a..b", "a\x00b", "x" * 5000])
def test_set_value_unknown_key_is_refused(key: str) -> None:
    with pytest.raises(KeyUnknown) as refused:
        services.set_value(actor=actor(), key=key, value="1")
    assert refused.value.code == "ADM_CONFIG_KEY_UNKNOWN"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("key", "scope", "with_tenant", "field"),
    [
        (IDLE, "TENANT", False, "tenantId"),
        (IDLE, "PLATFORM", True, "tenantId"),
        (IDLE, "tenant", True, "scope"),
        ("global.session_idle_minutes", "TENANT", True, "scope"),
    ],
)
def test_set_value_scope_and_tenant_that_do_not_fit_are_refused(
    key: str, scope: str, with_tenant: bool, field: str
) -> None:
    tenant_id = make_tenant().id if with_tenant else None
    with pytest.raises(ValueInvalid) as refused:
        services.set_value(actor=actor(), key=key, value="45", scope=scope, tenant_id=tenant_id)
    assert list(refused.value.details) == [field]


@pytest.mark.django_db
def test_set_value_for_a_tenant_that_is_not_there_is_refused() -> None:
    with pytest.raises(TenantUnknown):
        services.set_value(actor=actor(), key=IDLE, value="45", scope="TENANT", tenant_id=new_id())


@pytest.mark.django_db
def test_set_value_for_a_tenant_goes_to_the_chain_of_the_tenant() -> None:
    tenant = make_tenant()
    services.set_value(actor=actor(), key=IDLE, value="45", scope="TENANT", tenant_id=tenant.id)
    assert AuditEntry.objects.get().chain == f"tenant:{tenant.id}"


@pytest.mark.django_db
def test_set_value_with_another_version_is_refused_with_the_current_one() -> None:
    services.set_value(actor=actor(), key=IDLE, value="45", expected_version=0)
    for wrong in (0, 2):
        with pytest.raises(PreconditionFailed) as refused:
            services.set_value(actor=actor(), key=IDLE, value="50", expected_version=wrong)
        assert refused.value.details == {"current": 1}
    assert services.set_value(actor=actor(), key=IDLE, value="50", expected_version=1).version == 2


@pytest.mark.django_db
def test_set_values_with_one_wrong_value_sets_none() -> None:
    with pytest.raises(ValueInvalid):
        services.set_values(
            actor=actor(), values={"governance_scan_mode": "parallel", "governance_parallel_limit": "21"}
        )
    assert not ConfigValue.objects.exists()
    services.set_values(
        actor=actor(), values={"governance_scan_mode": "parallel", "governance_parallel_limit": "20"}
    )
    assert AuditEntry.objects.count() == 1
    assert ConfigValue.objects.count() == 2


@pytest.mark.django_db
def test_archive_value_takes_it_out_and_a_new_one_has_a_new_id() -> None:
    first = services.set_value(actor=actor(), key=IDLE, value="45")
    with pytest.raises(PreconditionFailed):
        services.archive_value(actor=actor(), value_id=first.id, expected_version=9)
    services.archive_value(actor=actor(), value_id=first.id, reason="no longer")
    with pytest.raises(ConfigNotFound):
        services.archive_value(actor=actor(), value_id=first.id)
    assert list(selectors.list_values(actor())) == []
    assert [row.id for row in selectors.list_values(actor(), include_archived=True)] == [first.id]
    assert ConfigChange.objects.order_by("-id").values_list("old_value", "new_value")[0] == ("45", None)
    again = services.set_value(actor=actor(), key=IDLE, value="45", expected_version=0)
    assert again.id != first.id


@pytest.mark.django_db
def test_restore_revision_is_a_new_revision() -> None:
    row = services.set_value(actor=actor(), key=IDLE, value="45")
    services.set_value(actor=actor(), key=IDLE, value="60")
    services.archive_value(actor=actor(), value_id=row.id)
    first, _, archived = ConfigChange.objects.order_by("id")
    restored = services.restore_revision(actor=actor(), change_id=first.id, reason="was right")
    assert restored is not None
    assert restored.value == "45"
    newest = ConfigChange.objects.order_by("-id")[0]
    assert (newest.restored_from_id, newest.old_value, newest.new_value) == (first.id, None, "45")
    assert services.restore_revision(actor=actor(), change_id=archived.id) is not None
    assert not selectors.list_values(actor()).exists()
    assert services.restore_revision(actor=actor(), change_id=archived.id) is None


@pytest.mark.django_db
def test_restore_revision_that_is_no_longer_allowed_is_refused() -> None:
    name = "mail.footer_lines"
    services.declare_key(
        actor=actor(),
        name=name,
        declaration=KeyDeclaration(type="integer", description="Lines.", maximum="50"),
    )
    services.set_value(actor=actor(), key=name, value="40")
    services.set_value(actor=actor(), key=name, value="5")
    services.redeclare_key(
        actor=actor(),
        name=name,
        declaration=KeyDeclaration(type="integer", description="Lines.", maximum="10"),
    )
    first = ConfigChange.objects.order_by("id")[0]
    with pytest.raises(RevisionGone):
        services.restore_revision(actor=actor(), change_id=first.id)
    assert ConfigValue.objects.get().value == "5"


@pytest.mark.django_db
def test_secret_is_nowhere_in_clear() -> None:
    declare_secret()
    row = services.set_value(actor=actor(), key=SECRET, value="hunter2-relay")
    services.set_value(actor=actor(), key=SECRET, value="hunter3-relay")
    assert row.shown == "***"
    change = ConfigChange.objects.order_by("-id")[0]
    assert (change.old_shown, change.new_shown) == ("***", "***")
    assert (change.old_value, change.new_value) == (None, None)
    audited = "".join(AuditDetail.objects.values_list("body", flat=True))
    assert "hunter" not in audited
    everything = str(list(ConfigValue.objects.values())) + str(list(ConfigChange.objects.values()))
    assert "hunter" not in everything
    restored = services.restore_revision(actor=actor(), change_id=ConfigChange.objects.order_by("id")[0].id)
    assert restored is not None
    assert restored.version == 3


@pytest.mark.django_db
def test_secret_columns_are_known_to_the_rotation_of_master_keys() -> None:
    known = {str(column) for column in sealed_columns()}
    assert {"configuration.ConfigValue.sealed", "configuration.ConfigChange.new_sealed"} <= known


@pytest.mark.django_db
@pytest.mark.parametrize(
    "row",
    [
        {"scope": "TENANT", "value": "1"},
        {"scope": "PLATFORM", "value": "1", "tenant_id": new_id()},
        {"scope": "PLATFORM"},
        {"scope": "PLATFORM", "value": "1", "sealed": b"x"},
    ],
)
def test_database_refuses_rows_that_make_no_sense(row: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ConfigValue.objects.create(key=IDLE, **row)


@pytest.mark.django_db
def test_database_refuses_a_second_live_value_of_the_platform() -> None:
    ConfigValue.objects.create(key=IDLE, scope="PLATFORM", value="5")
    ConfigValue.objects.create(key=IDLE, scope="PLATFORM", value="5", is_archived=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        ConfigValue.objects.create(key=IDLE, scope="PLATFORM", value="6")


@pytest.mark.django_db(transaction=True)
def test_set_value_by_eight_at_once_loses_no_revision() -> None:
    results = in_threads(
        8, lambda place: services.set_value(actor=actor(), key=IDLE, value=str(10 + place)).version
    )
    assert sorted(results) == list(range(1, 9))
    changes = list(ConfigChange.objects.order_by("version").values_list("old_value", "new_value"))
    assert [old for old, _ in changes] == [None, *[new for _, new in changes[:-1]]]


@pytest.mark.django_db(transaction=True)
def test_set_value_by_eight_with_the_same_version_has_one_winner() -> None:
    services.set_value(actor=actor(), key=IDLE, value="45")
    results = in_threads(
        8,
        lambda place: (
            services.set_value(actor=actor(), key=IDLE, value=str(50 + place), expected_version=1).version
        ),
    )
    assert results.count(2) == 1
    assert sum(isinstance(result, PreconditionFailed) for result in results) == 7


@pytest.mark.django_db
def test_purge_of_a_tenant_removes_its_values_and_history_only() -> None:
    tenant, other = make_tenant(), make_tenant()
    for one in (tenant, other):
        services.set_value(actor=actor(), key=IDLE, value="45", scope="TENANT", tenant_id=one.id)
    [aspect] = [one for one in aspects.registry.of(aspects.Subject.TENANT) if one.name == "configuration"]
    assert aspect.summary is not None
    assert aspect.remove is not None
    assert aspect.export is not None
    assert aspect.summary(tenant.id) == {"configuration_values": 1}
    assert [row["new_value"] for row in aspect.export(tenant.id)] == ["45"]
    assert aspect.remove(tenant.id, actor()) == 2
    assert aspect.remove(tenant.id, actor()) == 0
    assert ConfigValue.objects.get().tenant_id == other.id
    assert ConfigChange.objects.get().tenant_id == other.id


@pytest.mark.django_db
def test_reading_without_the_right_sees_nothing() -> None:
    services.set_value(actor=actor(), key=IDLE, value="45")
    assert not selectors.list_values(staff_principal("admin", "ops")).exists()
    assert selectors.list_values(staff_principal("super_admin")).count() == 1
    assert not selectors.history(staff_principal("support"), key=IDLE).exists()


@pytest.mark.django_db
def test_list_values_filters_and_has_a_stable_order() -> None:
    tenant = make_tenant()
    services.set_value(actor=actor(), key=IDLE, value="45", scope="TENANT", tenant_id=tenant.id)
    services.set_value(actor=actor(), key=IDLE, value="46")
    services.set_value(actor=actor(), key="governance_scan_mode", value="parallel")
    rows = [(row.key, row.scope) for row in selectors.list_values(actor())]
    assert rows == [("governance_scan_mode", "PLATFORM"), (IDLE, "PLATFORM"), (IDLE, "TENANT")]
    assert selectors.list_values(actor(), key_prefix="tenant.").count() == 2
    assert selectors.list_values(actor(), key_prefix="tenant_").count() == 0
    assert selectors.list_values(actor(), scope="TENANT", tenant_id=tenant.id).count() == 1


@pytest.mark.django_db
def test_overview_shows_default_platform_and_tenant_value_side_by_side() -> None:
    tenant = make_tenant()
    services.set_value(actor=actor(), key=IDLE, value="45", scope="TENANT", tenant_id=tenant.id)
    services.set_value(actor=actor(), key=IDLE, value="46")
    declare_secret()
    services.set_value(actor=actor(), key=SECRET, value="hunter2")
    found = {
        row.knob.name: row for _, rows in selectors.overview(actor(), tenant_id=tenant.id) for row in rows
    }
    idle = found[IDLE]
    assert idle.platform is not None
    assert idle.tenant is not None
    assert (idle.default, idle.platform.value, idle.tenant.value, idle.effective) == ("30", "46", "45", "45")
    assert idle.tenants == 1
    assert (found[SECRET].effective, found[SECRET].by_operator) == ("***", True)
    assert found["global.session_idle_minutes"].effective == "30"
    assert knob("global.session_idle_minutes").shape.describe() == "integer, 5 to 1440"
