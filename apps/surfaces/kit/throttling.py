"""How often: for each principal and scope, shared over all processes in Redis.

A sliding window: what was used in the last full minute counts by the share of it that is still in sight. A process
takes budget in blocks, so that most requests ask Redis nothing; what is given out never exceeds the limit. Where
Redis is away, requests go through, and the log says so once. (Sign-in and key lock-outs count in PostgreSQL.)

A scope may have a burst: so many requests more go through in a window, where the window before left as many unused.
Nobody gets more than the limit on average, and the headers count against the limit alone.
"""

import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache

import redis
import structlog
from django.conf import settings
from redis.commands.core import Script

from apps.core.errors import RateLimited
from apps.core.knobs import knob

log = structlog.get_logger(__name__)

WINDOW_SECONDS = 60
_REMEMBERED = 10_000
_PAUSE_SECONDS = 2.0

# One key for each subject: the number of the window, what was used in it, and in the one before.
_TAKE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local limit, want, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local burst = tonumber(ARGV[4])
local index = math.floor(now / window)
local state = redis.call('HMGET', KEYS[1], 'w', 'c', 'p')
local known, used, before = tonumber(state[1] or -1), tonumber(state[2] or 0), tonumber(state[3] or 0)
if known ~= index then
  before = (known == index - 1) and used or 0
  used = 0
end
local elapsed = now - index * window
local unused = math.max(0, math.min(burst, limit - before))
local room = math.floor(limit + unused - used - before * (1 - elapsed / window))
local granted = math.max(0, math.min(want, room))
redis.call('HSET', KEYS[1], 'w', index, 'c', used + granted, 'p', before)
redis.call('EXPIRE', KEYS[1], window * 2)
return {granted, math.max(0, room - granted - unused), math.floor(elapsed * 1000), used + granted, before}
"""


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left: for the X-RateLimit headers. `reset` is when the window ends, in epoch seconds."""

    limit: int
    remaining: int
    reset: int


class BudgetSpent(RateLimited):
    """The caller's requests are used up; `budget.reset` is when there is room for one again."""

    def __init__(self, *, limit: int, retry_after: int) -> None:
        super().__init__(retry_after=retry_after)
        self.budget = Budget(limit, 0, math.ceil(time.time()) + retry_after)


@dataclass(slots=True)
class _Block:
    left: int
    elsewhere: int
    ends: float


class Throttle:
    """The budgets that this process holds, and the way to Redis for more."""

    def __init__(self, link: "redis.Redis", *, window: int = WINDOW_SECONDS) -> None:
        self._script: Script = link.register_script(_TAKE)
        self._window = window
        self._blocks: OrderedDict[str, _Block] = OrderedDict()
        self._guard = threading.Lock()
        self._away_until = 0.0
        self._is_away = False

    def take(self, scope: str, subject: str, *, limit: int, burst: int = 0) -> Budget:
        """Uses up one request of the subject's budget.

        Raises:
            BudgetSpent: the budget is used up; says when there is some again.
        """
        key = f"throttle:{scope}:{subject}"
        now = time.monotonic()
        with self._guard:
            block = self._blocks.get(key)
            if block is not None and block.left > 0 and block.ends > now:
                block.left -= 1
                return self._budget(limit, block.left + block.elsewhere, block.ends - now)
            if now < self._away_until:
                return self._budget(limit, limit, self._window)
        return self._more(key, limit, burst, now)

    def forget(self) -> None:
        """Drops what this process holds."""
        with self._guard:
            self._blocks.clear()
            self._away_until = 0.0

    def _more(self, key: str, limit: int, burst: int, now: float) -> Budget:
        want = max(1, limit // 50)
        try:
            granted, elsewhere, elapsed, used, before = self._script(
                keys=[key], args=[limit, want, self._window, burst]
            )
        except (redis.RedisError, OSError) as away:
            self._note_away(now, away)
            return self._budget(limit, limit, self._window)
        self._is_away = False
        left = self._window - elapsed / 1000
        if granted == 0:
            raise BudgetSpent(limit=limit, retry_after=self._wait(limit, elapsed / 1000, used, before))
        with self._guard:
            self._blocks[key] = _Block(left=granted - 1, elsewhere=elsewhere, ends=now + left)
            self._blocks.move_to_end(key)
            while len(self._blocks) > _REMEMBERED:
                self._blocks.popitem(last=False)
        return self._budget(limit, granted - 1 + elsewhere, left)

    def _budget(self, limit: int, remaining: int, seconds: float) -> Budget:
        return Budget(limit, remaining, math.ceil(time.time() + seconds))

    def _wait(self, limit: int, elapsed: float, used: int, before: int) -> int:
        """Whole seconds until one request has room again."""
        if used < limit and before:
            # Enough of the window before this one must go out of sight.
            share = 1 - (limit - 1 - used) / before
            if share <= 1:
                return max(1, math.ceil(share * self._window - elapsed))
        rest = self._window - elapsed
        share = max(0.0, 1 - (limit - 1) / used) if used else 0.0
        return max(1, math.ceil(rest + share * self._window))

    def _note_away(self, now: float, away: Exception) -> None:
        with self._guard:
            self._away_until = now + _PAUSE_SECONDS
            first, self._is_away = not self._is_away, True
        if first:
            log.warning("rate_limits_let_through", reason="Redis does not answer", error=type(away).__name__)


@cache
def throttle() -> Throttle:
    """This process's."""
    link = redis.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=0.25, socket_timeout=0.25, retry=None
    )
    return Throttle(link)


def limit_of(scope: str) -> int:
    """Requests a minute: the knob `rate_limit.<scope>` (apps.surfaces.knobs).

    Raises:
        KeyError: a scope that settings.SURFACE_RATE_LIMITS does not name (a programming error).
    """
    return int(knob(f"rate_limit.{scope}").get())


def burst_of(scope: str) -> int:
    """Requests beyond the limit in one window: the knob `rate_limit.<scope>.burst`; 0 for scopes without one."""
    if scope not in settings.SURFACE_RATE_BURSTS:
        return 0
    return int(knob(f"rate_limit.{scope}.burst").get())
