"""The life cycle as a table: every move, and what surfaces call it."""

from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.clock import now
from apps.tenants.enums import TenantStatus
from apps.tenants.errors import AlreadyInStatus, InvalidTransition, RetentionOver, TrialEnded
from apps.tenants.lifecycle import TRANSITIONS, WORDS, Standing, check, reinstated, stored, word, words

KEPT = timedelta(days=90)
ALLOWED = {
    ("provisioning", "trial"),
    ("provisioning", "active"),
    ("trial", "active"),
    ("trial", "suspended"),
    ("trial", "cancelled"),
    ("active", "suspended"),
    ("active", "cancelled"),
    ("suspended", "active"),
    ("suspended", "trial"),
    ("suspended", "cancelled"),
    ("cancelled", "active"),
}


def standing(status: TenantStatus) -> Standing:
    """Of a tenant that nothing but the table holds back."""
    return Standing(
        status=status,
        suspended_from="trial" if status == TenantStatus.SUSPENDED else "",
        trial_ends_at=now() + timedelta(days=1),
        cancelled_at=now() if status == TenantStatus.CANCELLED else None,
    )


@pytest.mark.parametrize(("here", "to"), list(product(TenantStatus, TenantStatus)))
def test_every_move_is_allowed_exactly_where_the_domain_says(here: TenantStatus, to: TenantStatus) -> None:
    if (here, to) in ALLOWED:
        check(standing(here), to, at=now(), retention=KEPT)
    else:
        refusal = AlreadyInStatus if here == to else InvalidTransition
        with pytest.raises(refusal):
            check(standing(here), to, at=now(), retention=KEPT)


def test_every_status_has_transitions_and_words() -> None:
    assert set(TRANSITIONS) == set(TenantStatus)
    for surface in WORDS:
        assert set(WORDS[surface]) == set(TenantStatus)


@given(st.lists(st.sampled_from(list(TenantStatus)), max_size=12))
def test_no_walk_of_moves_leaves_the_table(moves: list[TenantStatus]) -> None:
    here = TenantStatus.PROVISIONING
    for to in moves:
        try:
            check(standing(here), to, at=now(), retention=KEPT)
        except (AlreadyInStatus, InvalidTransition):
            continue
        assert (here.value, to.value) in ALLOWED
        here = to
    assert here != TenantStatus.PROVISIONING or all((here.value, to.value) not in ALLOWED for to in moves)


@given(seconds=st.integers(min_value=-10_000, max_value=10_000))
def test_suspended_trial_comes_back_only_before_its_end(seconds: int) -> None:
    at = now()
    where = Standing(
        status=TenantStatus.SUSPENDED, suspended_from="trial", trial_ends_at=at + timedelta(seconds=seconds)
    )
    assert reinstated(where) == TenantStatus.TRIAL
    if seconds > 0:
        check(where, TenantStatus.TRIAL, at=at, retention=KEPT)
    else:
        with pytest.raises(TrialEnded):
            check(where, TenantStatus.TRIAL, at=at, retention=KEPT)


def test_active_tenant_never_goes_back_to_a_trial() -> None:
    where = Standing(
        status=TenantStatus.SUSPENDED, suspended_from="active", trial_ends_at=now() + timedelta(days=9)
    )
    assert reinstated(where) == TenantStatus.ACTIVE
    with pytest.raises(InvalidTransition):
        check(where, TenantStatus.TRIAL, at=now(), retention=KEPT)


@pytest.mark.parametrize(("days", "comes_back"), [(0, True), (89, True), (90, False), (400, False)])
def test_cancelled_tenant_comes_back_within_the_retention(days: int, comes_back: bool) -> None:
    at = now()
    where = Standing(status=TenantStatus.CANCELLED, cancelled_at=at - timedelta(days=days))
    if comes_back:
        check(where, TenantStatus.ACTIVE, at=at, retention=KEPT)
    else:
        with pytest.raises(RetentionOver):
            check(where, TenantStatus.ACTIVE, at=at, retention=KEPT)


def test_surfaces_call_statuses_as_the_domain_says() -> None:
    assert words("platform") == ["trial", "active", "suspended", "churned"]
    assert stored("platform", "trial") == ["provisioning", "trial"]
    assert stored("platform", "provisioning") == []
    assert word("control", "trial") == "active"
    assert word("control", "cancelled") == "deactivated"
    assert word("automation", "cancelled") == "cancelled"
