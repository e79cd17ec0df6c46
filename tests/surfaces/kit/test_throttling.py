"""The budget that all processes share."""

import logging
import time
from unittest import mock

import pytest
import redis
from django.conf import settings

from apps.core.errors import RateLimited
from apps.surfaces.kit.throttling import BudgetSpent, Throttle

# So long that none ends while a test runs: what a block has left then is lost.
WINDOW = 1_000_000


def link() -> "redis.Redis":
    return redis.Redis.from_url(settings.REDIS_URL)


def counting(shared: "redis.Redis | None" = None) -> Throttle:
    return Throttle(shared or link(), window=WINDOW)


def taken(throttle: Throttle, *, limit: int, tries: int, burst: int = 0) -> int:
    """How many of `tries` were let through."""
    through = 0
    for _ in range(tries):
        try:
            throttle.take("scope", "me", limit=limit, burst=burst)
        except RateLimited:
            continue
        through += 1
    return through


@pytest.mark.parametrize("limit", [1, 2, 49, 50, 100, 175])
def test_exactly_the_limit_goes_through_one_process(limit: int) -> None:
    assert taken(counting(), limit=limit, tries=limit + 10) == limit


def test_processes_share_one_budget() -> None:
    throttles = [counting() for _ in range(4)]
    through = 0
    for turn in range(400):
        through += taken(throttles[turn % 4], limit=100, tries=1)
    assert through == 100


def test_scopes_and_subjects_have_budgets_of_their_own() -> None:
    throttle = counting()
    for scope, subject in (("a", "x"), ("a", "y"), ("b", "x")):
        throttle.take(scope, subject, limit=1)
        with pytest.raises(RateLimited):
            throttle.take(scope, subject, limit=1)


def test_most_requests_ask_redis_nothing() -> None:
    shared = link()
    throttle = counting(shared)
    with mock.patch.object(shared, "execute_command", wraps=shared.execute_command) as asked:
        taken(throttle, limit=600, tries=120)
    assert 0 < asked.call_count < 120


def test_the_last_window_counts_by_the_share_that_is_still_in_sight() -> None:
    shared = link()
    throttle = counting(shared)
    seconds, _ = shared.time()
    shared.hset("throttle:scope:me", mapping={"w": seconds // WINDOW - 1, "c": 100, "p": 0})
    gone = (seconds % WINDOW) / WINDOW
    through = taken(throttle, limit=100, tries=100)
    assert abs(through - 100 * gone) <= 3


def test_a_burst_goes_through_beyond_the_limit_after_a_quiet_minute() -> None:
    assert taken(counting(), limit=240, burst=60, tries=330) == 300


def test_a_burst_is_what_the_minute_before_left_unused() -> None:
    shared = link()
    seconds, _ = shared.time()
    gone = (seconds % WINDOW) / WINDOW
    for before, burst in ((100, 0), (90, 10), (20, 30)):
        shared.hset("throttle:scope:me", mapping={"w": seconds // WINDOW - 1, "c": before, "p": 0})
        through = taken(counting(shared), limit=100, burst=30, tries=140)
        assert abs(through - (100 + burst - before * (1 - gone))) <= 3


def test_what_is_left_counts_against_the_limit_alone() -> None:
    assert counting().take("scope", "me", limit=240, burst=60).remaining == 239


def test_a_refusal_says_the_limit_and_when_there_is_room_again() -> None:
    throttle = counting()
    taken(throttle, limit=2, tries=2)
    before = time.time()
    with pytest.raises(BudgetSpent) as refused:
        throttle.take("scope", "me", limit=2)
    budget = refused.value.budget
    assert (budget.limit, budget.remaining) == (2, 0)
    assert before <= budget.reset - refused.value.retry_after <= time.time() + 1


def test_retry_after_is_when_there_is_room_again() -> None:
    throttle = Throttle(link())
    taken(throttle, limit=5, tries=5)
    with pytest.raises(RateLimited) as refused:
        throttle.take("scope", "me", limit=5)
    # A fifth of the minute after the one in which they were used.
    assert 12 <= refused.value.retry_after <= 72


def test_without_redis_requests_go_through_and_the_log_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    gone = redis.Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.2, retry=None)
    throttle = Throttle(gone)
    with caplog.at_level(logging.WARNING):
        assert taken(throttle, limit=1, tries=20) == 20
    assert sum("rate_limits_let_through" in str(record.msg) for record in caplog.records) == 1
