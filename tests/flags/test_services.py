"""Writing flags: what is kept, what is refused, and what is told."""

from datetime import timedelta
from typing import Any

import pytest

from apps.approvals.errors import ApprovalRequired
from apps.approvals.models import ApprovalRequest
from apps.approvals.services import Pending, approve_request
from apps.audit.models import AuditEntry
from apps.core import live
from apps.core.clock import now
from apps.core.errors import PreconditionFailed
from apps.core.ids import new_id
from apps.flags import services
from apps.flags.enums import ChangeKind
from apps.flags.errors import (
    FlagArchived,
    FlagInvalid,
    FlagKeyTaken,
    FlagNotFound,
    FlagsUnknown,
    OverrideNotFound,
    SegmentInUse,
    VersionNotFound,
)
from apps.flags.models import TOPIC, Flag, FlagChange, FlagUsage, TenantOverride
from apps.flags.services import OverrideFields
from apps.flags.services.approved import change
from apps.tenants.errors import TenantNotFound
from apps.tenants.events import ATTRIBUTES_TOPIC
from apps.tenants.services import suspend_tenant
from tests.factories import actor, make_flag, make_segment, make_tenant, staff_principal

pytestmark = pytest.mark.django_db


def create(key: str = "checkout", **fields: Any) -> Flag:
    return services.create_flag(actor=actor(), key=key, fields=fields)  # type: ignore[arg-type]  # any field


def update(key: str = "checkout", **fields: Any) -> Flag:
    return services.update_flag(actor=actor(), key=key, fields=fields)  # type: ignore[arg-type]  # any field


def test_a_flag_is_kept_in_its_full_form_and_told_of() -> None:
    before = live.revision(TOPIC)
    flag = create(description="The new checkout")
    flag.refresh_from_db()
    assert flag.variations == [{"key": "on", "value": True}, {"key": "off", "value": False}]
    assert (flag.off_variation, flag.hash, flag.version) == ("off", "murmur3", 1)
    assert flag.salt
    assert create("another").salt != flag.salt
    assert live.revision(TOPIC) == before + 2
    assert AuditEntry.objects.filter(action="flag.create").count() == 2


def test_a_key_stays_taken_by_an_archived_flag() -> None:
    create()
    services.archive_flag(actor=actor(), key="checkout")
    with pytest.raises(FlagKeyTaken):
        create()


def test_each_change_is_a_version_and_one_without_effect_is_none() -> None:
    create()
    assert update(description="else").version == 2
    before = live.revision(TOPIC)
    assert update(description="else").version == 2
    assert live.revision(TOPIC) == before
    changes = list(FlagChange.objects.order_by("id"))
    assert [each.kind for each in changes] == [ChangeKind.CREATED, ChangeKind.UPDATED]
    assert changes[1].before is not None
    assert changes[1].after is not None
    assert (changes[1].before["description"], changes[1].after["description"]) == ("", "else")


def test_another_version_than_expected_is_refused() -> None:
    create()
    with pytest.raises(PreconditionFailed) as refused:
        services.update_flag(actor=actor(), key="checkout", fields={"description": "x"}, if_match=7)
    assert refused.value.details == {"current": 1}


def test_an_archived_flag_is_not_changed_and_comes_back_by_a_version() -> None:
    create(description="first")
    update(description="second")
    services.archive_flag(actor=actor(), key="checkout")
    with pytest.raises(FlagArchived):
        update(description="third")
    with pytest.raises(FlagArchived):
        services.archive_flag(actor=actor(), key="checkout")
    with pytest.raises(VersionNotFound):
        services.restore_version(actor=actor(), key="checkout", version=9)
    flag = services.restore_version(actor=actor(), key="checkout", version=1)
    assert (flag.description, flag.is_archived, flag.version) == ("first", False, 4)


def test_a_restored_version_keeps_every_field() -> None:
    fields: dict[str, Any] = {
        "type": "string",
        "variations": [{"key": "a", "value": "x"}, {"key": "b", "value": "y"}],
        "rules": [
            {"conditions": [{"attribute": "plan", "operator": "in", "value": ["pro"]}], "variation": "a"}
        ],
        "rollout": {"percentage": 12.5},
        "tags": ["web"],
        "owner": "team checkout",
        "expiresAt": now() + timedelta(days=3),
        "hash": "launchdarkly",
        "salt": "checkout.abc",
    }
    first = create(**fields).definition()
    update(type="boolean", variations=[], rules=[], rollout=None, tags=[], owner="", expiresAt=None)
    restored = services.restore_version(actor=actor(), key="checkout", version=1)
    restored.refresh_from_db()
    assert restored.definition() == first


def test_a_version_that_today_s_rules_refuse_does_not_come_back() -> None:
    create()
    FlagChange.objects.update(after={**Flag.objects.get().definition(), "offVariation": "on"})
    update(description="second")
    with pytest.raises(FlagInvalid) as refused:
        services.restore_version(actor=actor(), key="checkout", version=1)
    assert list(refused.value.details) == ["offVariation"]
    assert Flag.objects.get().off_variation == "off"


def test_prerequisites_in_a_circle_are_refused_with_the_way() -> None:
    create("a")
    create("b", prerequisites=[{"key": "a", "variation": "on"}])
    create("c", prerequisites=[{"key": "b", "variation": "on"}])
    with pytest.raises(FlagInvalid) as refused:
        update("a", prerequisites=[{"key": "c", "variation": "on"}])
    assert "a → c → b → a" in refused.value.details["prerequisites"][0]


def test_a_chain_of_prerequisites_is_bounded_wherever_it_grows() -> None:
    create("f0")
    for number in range(1, 11):
        create(f"f{number}", prerequisites=[{"key": f"f{number - 1}", "variation": "on"}])
    with pytest.raises(FlagInvalid, match="not valid") as refused:
        create("f11", prerequisites=[{"key": "f10", "variation": "on"}])
    assert "at most 10" in refused.value.details["prerequisites"][0]
    create("below")
    with pytest.raises(FlagInvalid):
        update("f0", prerequisites=[{"key": "below", "variation": "on"}])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"prerequisites": [{"key": "gone", "variation": "on"}]}, "prerequisites.0.key"),
        (
            {"rules": [{"conditions": [{"segment": "gone"}], "variation": "on"}]},
            "rules.0.conditions.0.segment",
        ),
        ({"tags": ["a", "a"]}, "tags"),
        ({"tags": ["x" * 61]}, "tags"),
        ({"type": "number"}, "variations"),
        (
            {"type": "number", "variations": [{"key": "a", "value": 2**63}, {"key": "b", "value": 1}]},
            "variations.0.value",
        ),
        (
            {
                "type": "object",
                "variations": [{"key": "a", "value": {"x": [10**30]}}, {"key": "b", "value": {}}],
            },
            "variations.0.value",
        ),
        (
            {
                "rules": [
                    {
                        "conditions": [{"attribute": "n", "operator": "in", "value": [-(2**64)]}],
                        "variation": "on",
                    }
                ]
            },
            "rules.0.conditions.0.value",
        ),
    ],
)
def test_a_definition_that_does_not_fit_is_refused_and_leaves_nothing(
    fields: dict[str, Any], field: str
) -> None:
    before = live.revision(TOPIC)
    with pytest.raises(FlagInvalid) as refused:
        create(**fields)
    assert list(refused.value.details) == [field]
    assert not Flag.objects.exists()
    assert live.revision(TOPIC) == before


def test_a_variation_that_somebody_names_can_not_go() -> None:
    two = [{"key": "a", "value": "x"}, {"key": "b", "value": "y"}]
    create(type="string", variations=[*two, {"key": "c", "value": "z"}])
    create("other", prerequisites=[{"key": "checkout", "variation": "a"}])
    services.set_override(
        actor=actor(), key="checkout", tenant_id=make_tenant().id, fields=OverrideFields(variation="b")
    )
    for kept in (["a", "c"], ["b", "c"]):
        with pytest.raises(FlagInvalid):
            update(variations=[{"key": key, "value": key} for key in kept])
    assert update(variations=two).off_variation == "b"


def test_an_override_is_set_replaced_and_removed() -> None:
    tenant = make_tenant()
    create()
    for enabled in (True, False):
        row = services.set_override(
            actor=actor(), key="checkout", tenant_id=tenant.id, fields=OverrideFields(enabled=enabled)
        )
        assert row.enabled is enabled
    assert TenantOverride.objects.count() == 1
    before = live.revision(TOPIC)
    services.remove_override(actor=actor(), key="checkout", tenant_id=tenant.id)
    assert live.revision(TOPIC) == before + 1
    with pytest.raises(OverrideNotFound):
        services.remove_override(actor=actor(), key="checkout", tenant_id=tenant.id)
    kinds = list(FlagChange.objects.filter(tenant_id=tenant.id).order_by("id").values_list("kind", flat=True))
    assert kinds == [ChangeKind.OVERRIDE_SET] * 2 + [ChangeKind.OVERRIDE_REMOVED]


def test_an_override_that_is_set_once_more_is_no_change() -> None:
    tenant = make_tenant()
    create()

    def given(**fields: Any) -> int:
        fields = {"enabled": True, "reason": "a promise", **fields}
        services.set_override(
            actor=actor(), key="checkout", tenant_id=tenant.id, fields=OverrideFields(**fields)
        )
        return live.revision(TOPIC)

    first = given()
    assert given() == first
    assert FlagChange.objects.filter(tenant_id=tenant.id).count() == 1
    assert AuditEntry.objects.filter(action="flag.set_override").count() == 2
    assert given(reason="another promise") == first + 1
    assert given(expires_at=now() + timedelta(days=1)) == first + 2


def test_an_override_that_makes_no_sense_is_refused() -> None:
    create()
    tenant = make_tenant()
    wrong = [
        OverrideFields(),
        OverrideFields(enabled=True, variation="on"),
        OverrideFields(variation="blue"),
        OverrideFields(enabled=True, expires_at=now() - timedelta(seconds=1)),
    ]
    for fields in wrong:
        with pytest.raises(FlagInvalid):
            services.set_override(actor=actor(), key="checkout", tenant_id=tenant.id, fields=fields)
    with pytest.raises(TenantNotFound):
        services.set_override(
            actor=actor(), key="checkout", tenant_id=new_id(), fields=OverrideFields(enabled=True)
        )
    with pytest.raises(FlagNotFound):
        services.set_override(
            actor=actor(), key="gone", tenant_id=tenant.id, fields=OverrideFields(enabled=True)
        )


def test_several_overrides_are_all_or_none_and_every_unknown_flag_is_named() -> None:
    tenant = make_tenant()
    create("a")
    create("b")
    with pytest.raises(FlagsUnknown) as refused:
        services.set_overrides_of_tenant(
            actor=actor(), tenant_id=tenant.id, enabled={"a": True, "x": True, "y": False}
        )
    assert [text.split("'")[1] for text in refused.value.details["flags"]] == ["x", "y"]
    assert not TenantOverride.objects.exists()
    services.set_overrides_of_tenant(actor=actor(), tenant_id=tenant.id, enabled={"a": True, "b": False})
    assert TenantOverride.objects.count() == 2


def test_a_segment_in_use_stays_and_names_the_flags() -> None:
    conditions = [{"attribute": "country", "operator": "in", "value": ["DE"]}]
    services.create_segment(actor=actor(), key="germans", conditions=conditions)
    create(rules=[{"conditions": [{"segment": "germans"}], "variation": "on"}])
    with pytest.raises(SegmentInUse) as refused:
        services.delete_segment(actor=actor(), key="germans")
    assert refused.value.details == {"flags": ["checkout"]}
    update(rules=[])
    services.delete_segment(actor=actor(), key="germans")


def test_a_segment_of_an_archived_flag_stays_too() -> None:
    make_segment()
    make_flag(is_archived=True, rules=[{"conditions": [{"segment": "europeans"}], "variation": "on"}])
    with pytest.raises(SegmentInUse):
        services.delete_segment(actor=actor(), key="europeans")


def test_what_changes_a_tenants_plan_or_status_raises_its_topic() -> None:
    tenant = make_tenant(status="active")
    before = live.revision(ATTRIBUTES_TOPIC)
    suspend_tenant(actor=actor(), tenant_id=tenant.id, reason="unpaid")
    assert live.revision(ATTRIBUTES_TOPIC) == before + 1


def test_usage_is_added_up_by_the_hour() -> None:
    flag = make_flag()
    unknown = services.record_usage(
        actor=actor(),
        counts=[
            services.Count("checkout", 3, "on"),
            services.Count("checkout", 4, "on"),
            services.Count("x", 1),
        ],
    )
    services.add_counts({("checkout", "on"): 2, ("gone", ""): 5})
    assert unknown == ["x"]
    row = FlagUsage.objects.get()
    assert (row.flag_id, row.count, row.variation, row.hour.minute) == (flag.id, 9, "on", 0)


def test_old_reports_count_under_the_oldest_hour_that_is_taken() -> None:
    make_flag()
    for at in (now() - timedelta(days=400), now() + timedelta(days=400)):
        services.record_usage(actor=actor(), counts=[services.Count("checkout", 1, at=at)])
    hours = list(FlagUsage.objects.order_by("hour").values_list("hour", flat=True))
    assert now() - timedelta(hours=26) < hours[0] < hours[1] <= now()


def test_a_flag_that_needs_a_second_person_changes_only_with_one() -> None:
    make_flag(needs_approval=True)
    asking, deciding = staff_principal("super_admin"), staff_principal("super_admin")
    with pytest.raises(ApprovalRequired):
        services.update_flag(actor=asking, key="checkout", fields={"defaultEnabled": True})
    with pytest.raises(ApprovalRequired):
        services.set_override(
            actor=asking, key="checkout", tenant_id=make_tenant().id, fields=OverrideFields(enabled=True)
        )
    outcome = change("update", actor=asking, key="checkout", arguments={"fields": {"defaultEnabled": True}})
    assert isinstance(outcome, Pending)
    assert Flag.objects.get().default_enabled is False
    approve_request(actor=deciding, request_id=outcome.request.id)
    assert Flag.objects.get().default_enabled is True


def test_an_approval_for_a_flag_that_changed_meanwhile_fails() -> None:
    flag = make_flag(needs_approval=True)
    outcome = change("archive", actor=staff_principal("super_admin"), key="checkout")
    assert isinstance(outcome, Pending)
    Flag.objects.filter(pk=flag.pk).update(version=2)
    approve_request(actor=staff_principal("super_admin"), request_id=outcome.request.id)
    assert ApprovalRequest.objects.get().status == "failed"
    assert Flag.objects.get().is_archived is False


def test_an_approval_of_an_override_fails_where_the_flag_changed_meanwhile() -> None:
    flag, tenant = make_flag(needs_approval=True), make_tenant()
    arguments = {"tenant_id": tenant.public_id, "enabled": True}
    asking = staff_principal("super_admin")
    outcome = change("set_override", actor=asking, key="checkout", arguments=arguments)
    assert isinstance(outcome, Pending)
    Flag.objects.filter(pk=flag.pk).update(version=2)
    approve_request(actor=staff_principal("super_admin"), request_id=outcome.request.id)
    assert ApprovalRequest.objects.get().status == "failed"
    assert not TenantOverride.objects.exists()


def test_other_flags_change_at_once() -> None:
    make_flag()
    outcome = change("update", actor=actor(), key="checkout", arguments={"fields": {"owner": "team"}})
    assert isinstance(outcome, Flag)
    assert outcome.owner == "team"


def test_a_flag_that_makes_no_sense_keeps_no_other_from_being_changed_and_can_be_mended() -> None:
    make_flag()
    make_flag("broken", rules=[{"conditions": [{"segment": "gone"}], "variation": "on"}])
    services.update_flag(actor=actor(), key="checkout", fields={"description": "express"})
    services.update_flag(actor=actor(), key="broken", fields={"rules": []})
    assert dict(Flag.objects.values_list("key", "version")) == {"checkout": 2, "broken": 2}


def test_counts_beyond_what_the_table_holds_stay_at_the_most_it_holds() -> None:
    make_flag()
    most = [services.Count("checkout", 2**53 - 1) for _ in range(1000)]
    for _ in range(2):
        assert services.record_usage(actor=actor(), counts=most) == []
    assert FlagUsage.objects.get().count == 2**63 - 1
