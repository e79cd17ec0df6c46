"""What a change would come to, counted before it is made."""

import pytest

from apps.flags.admin import impact
from apps.flags.admin.impact import impact_of, members, shares, tenants_of
from apps.flags.engine import Override, Snapshot, TenantAttributes, read_flag
from apps.flags.errors import FlagsUnavailable
from apps.flags.snapshot import holder
from tests.flags.engine_world import flag, rule, segment, snapshot

AT = 1_000.0


def crowd(count: int, status: str = "active") -> Snapshot:
    tenants = [
        TenantAttributes(f"tnt_{number:05}", "pro" if number % 2 else "free", status)
        for number in range(count)
    ]
    return Snapshot.build(revision="1", flags=[flag()], tenants=tenants)


def test_a_trial_answers_as_a_snapshot_built_anew() -> None:
    new = flag(rules=[rule("plan", "equals", "pro")], rollout={"percentage": 50})
    other = read_flag(
        {"key": "other", "prerequisites": [{"key": "checkout", "variation": "on"}]}, segments=()
    )
    given = [Override("checkout", "tnt_b", "on")]
    trial = snapshot(flag(), other, overrides=given).with_flag(new)
    built = snapshot(new, other, overrides=given)
    for tenant in ("tnt_a", "tnt_b", "tnt_c", "tnt_unknown"):
        mine, theirs = trial.bootstrap(tenant, {}, at=AT), built.bootstrap(tenant, {}, at=AT)
        assert mine.decisions == theirs.decisions


def test_a_trial_leaves_the_snapshot_as_it_was() -> None:
    before = snapshot(flag())
    before.with_flag(flag(defaultEnabled=True))
    decision = before.evaluate("checkout", "tnt_a", {}, at=AT)
    assert decision is not None
    assert not decision.enabled


def test_a_trial_knows_segments_and_drops_overrides_of_a_lost_variation() -> None:
    members_ = segment({"attribute": "country", "operator": "in", "value": ["DE"]})
    many = [{"key": "a", "value": True}]
    before = snapshot(
        flag(variations=many), segments=[members_], overrides=[Override("checkout", "tnt_c", "a")]
    )
    after = before.with_flag(flag(rules=[{"conditions": [{"segment": "europeans"}], "variation": "on"}]))
    found = {key: after.evaluate("checkout", key, {}, at=AT) for key in ("tnt_a", "tnt_c")}
    assert {key: each.variation for key, each in found.items() if each} == {"tnt_a": "on", "tnt_c": "off"}


def test_a_change_is_counted_by_what_tenants_get() -> None:
    holder.pin(crowd(10))
    found = impact_of(flag(rules=[rule("plan", "equals", "pro")]))
    assert (found.changed, found.counted, found.sampled) == (5, 10, False)
    assert found.moves == [("off", "on", 5)]
    assert len(found.examples) == 5
    assert not found.by_context


def test_another_value_of_the_same_variation_is_a_change() -> None:
    words = [{"key": "a", "value": "x"}, {"key": "b", "value": "y"}]
    old = flag(type="string", variations=words)
    tenants = [TenantAttributes("tnt_a", "pro", "active")]
    holder.pin(Snapshot.build(revision="1", flags=[old], tenants=tenants))
    assert impact_of(flag(type="string", variations=[words[0], {"key": "b", "value": "z"}])).changed == 1
    assert impact_of(old).changed == 0


def test_flags_that_need_the_one_that_changes_are_named() -> None:
    other = read_flag(
        {"key": "other", "prerequisites": [{"key": "checkout", "variation": "on"}]}, segments=()
    )
    holder.pin(snapshot(flag(), other))
    assert impact_of(flag(defaultEnabled=True)).dependents == ["other"]


def test_what_callers_send_makes_a_count_conditional() -> None:
    holder.pin(crowd(2))
    assert impact_of(flag(rules=[rule("userId", "equals", "5")])).by_context


def test_many_tenants_are_asked_by_a_sample_and_cancelled_ones_not_at_all() -> None:
    tenants, sampled = tenants_of(crowd(2_500), 1_000)
    assert (len(tenants), sampled) == (834, True)
    tenants, sampled = tenants_of(crowd(1_000), 1_000)
    assert (len(tenants), sampled) == (1_000, False)
    assert tenants_of(crowd(10, "cancelled"), 1_000) == ([], False)


def test_a_share_is_told_in_percent_and_says_where_it_is_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(impact, "MOST_LISTED", 4)
    holder.pin(crowd(12).with_flag(flag(rules=[rule("plan", "equals", "pro")])))
    found = shares.of("checkout")
    assert found is not None
    assert found.sampled
    assert str(found).startswith("about ")
    assert [str(impact.Share(on, 1_000, sampled=False)) for on in (0, 1, 500, 999, 1_000)] == [
        "0 %",
        "0.1 %",
        "50 %",
        "99.9 %",
        "100 %",
    ]
    assert str(impact.Share(0, 0, sampled=False)) == "no tenants"


def test_a_share_follows_the_snapshot_in_force() -> None:
    holder.pin(crowd(4))
    assert str(shares.of("checkout")) == "0 %"
    holder.pin(crowd(4).with_flag(flag(defaultEnabled=True)))
    assert str(shares.of("checkout")) == "100 %"
    assert shares.of("nowhere") is None
    holder.pin(crowd(4).with_flag(flag(rules=[rule("userId", "equals", "5")])))
    assert shares.of("checkout") is None


def test_members_of_a_segment_are_counted_and_nonsense_is_nobody() -> None:
    holder.pin(crowd(10))
    found = members([{"attribute": "plan", "operator": "equals", "value": "pro"}])
    assert found is not None
    assert (found.on, found.counted) == (5, 10)
    assert members([]) is None


def test_without_flags_nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Snapshot:
        raise FlagsUnavailable

    monkeypatch.setattr(holder, "current", away)
    assert shares.of("checkout") is None
    assert members([{"attribute": "plan", "operator": "equals", "value": "pro"}]) is None
