"""Which flags may be no longer needed."""

from datetime import timedelta
from typing import Any

import pytest

from apps.core.clock import now
from apps.flags import selectors, services
from apps.flags.enums import StaleReason
from apps.flags.models import Flag, FlagUsage, TenantOverride
from apps.flags.services import OverrideFields, staleness
from apps.flags.services.usage import note_handed_out
from apps.flags.snapshot import holder
from tests.factories import actor, make_flag, make_override, make_tenant

pytestmark = pytest.mark.django_db


def test_stale_flags_are_those_expired_settled_or_never_asked_for() -> None:
    old = now() - timedelta(days=31)
    aged: dict[str, Any] = {"created_at": old, "updated_at": old}
    rules = [{"conditions": [{"attribute": "plan", "operator": "equals", "value": "pro"}], "variation": "on"}]
    flags = {
        "young": make_flag("young"),
        "expired": make_flag("expired", expires_at=now() - timedelta(days=1)),
        "settled": make_flag("settled", **aged),
        "targeted": make_flag("targeted", rules=rules, **aged),
        "found": make_flag("found", rules=rules, same_for_all=True, **aged),
        "overridden": make_flag("overridden", **aged),
        "archived": make_flag("archived", is_archived=True, **aged),
    }
    make_override(flags["overridden"], make_tenant())
    for key in ("settled", "targeted", "found", "overridden"):
        FlagUsage.objects.create(flag=flags[key], hour=now().replace(minute=0), count=1)
    make_flag("silent", rules=rules, **aged)

    found = {flag.key for flag in selectors.list_flags(actor(), stale=True)}
    assert found == {"expired", "settled", "found", "silent"}
    fresh = {flag.key for flag in selectors.list_flags(actor(), stale=False)}
    assert fresh == {"young", "targeted", "overridden", "archived"}
    reasons = selectors.stale_reasons(list(flags.values()))
    assert reasons == {
        flags["expired"].pk: [StaleReason.EXPIRED],
        flags["settled"].pk: [StaleReason.SETTLED],
        flags["found"].pk: [StaleReason.SETTLED],
    }


def test_a_flag_that_clients_were_given_with_all_others_counts_as_asked_for() -> None:
    old = now() - timedelta(days=31)
    rules = [{"conditions": [{"attribute": "plan", "operator": "equals", "value": "pro"}], "variation": "on"}]
    aged: dict[str, Any] = {"created_at": old, "updated_at": old, "rules": rules}
    flag, archived = make_flag(**aged), make_flag("archived", is_archived=True, **aged)
    assert selectors.stale_reasons([flag]) == {flag.pk: [StaleReason.NOT_EVALUATED]}
    note_handed_out()
    assert selectors.stale_reasons([flag]) == {}
    flag.refresh_from_db()
    archived.refresh_from_db()
    assert (flag.updated_at, archived.handed_out_at) == (old, None)
    # Once an hour is enough, and no line is written more often.
    first = now() - timedelta(minutes=50)
    Flag.objects.filter(pk=flag.pk).update(handed_out_at=first)
    note_handed_out()
    flag.refresh_from_db()
    assert flag.handed_out_at == first
    Flag.objects.filter(pk=flag.pk).update(handed_out_at=old)
    assert selectors.stale_reasons([flag]) == {flag.pk: [StaleReason.NOT_EVALUATED]}


def test_which_flags_are_the_same_for_all_is_found_anew_when_something_else_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = now() - timedelta(days=31)
    rules = [{"conditions": [{"attribute": "plan", "operator": "equals", "value": "pro"}], "variation": "on"}]
    flag = make_flag(created_at=old, updated_at=old, rules=rules, same_for_all=True)
    make_flag("young", rules=rules)
    tenant = max(make_tenant(), make_tenant(), key=lambda each: each.public_id)

    def looked() -> int:
        holder.pin_present()
        return services.find_settled(actor=actor(), snapshot=holder.current(), at=now().timestamp())

    assert looked() == 0
    services.set_override(
        actor=actor(), key="checkout", tenant_id=tenant.id, fields=OverrideFields(enabled=True)
    )
    assert selectors.stale_reasons([flag]) == {flag.pk: [StaleReason.NOT_EVALUATED]}
    assert looked() == 1
    assert Flag.objects.get(key="checkout").same_for_all is False
    # A sample may know nobody who has one.
    monkeypatch.setattr(staleness, "_MOST_TENANTS", 1)
    assert looked() == 0
    # Nothing of the flag changes here: the override ends by itself.
    TenantOverride.objects.update(expires_at=now() - timedelta(minutes=1))
    assert looked() == 1
    assert Flag.objects.get(key="checkout").same_for_all is True
    assert Flag.objects.get(key="young").same_for_all is None
    holder.forget()
