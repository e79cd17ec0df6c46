"""Attempts to prove something, counted in PostgreSQL: by account and address, by address, by spray, by account.

Where Redis is away these still count, and never let through (design/reliability.md, "Tokens, keys, addresses").

An attempt is written down before it is tried and counted afterwards, so that many at once can't pass the count
together. The one that goes over is taken back: refused attempts don't prolong the wait. Success takes back the
attempts of the same account from the same address, no others: one's own account can't be used to clear an address.
"""

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Max, QuerySet

from apps.core.clock import now
from apps.core.errors import RateLimited
from apps.core.knobs import Knob
from apps.core.models import FailedAttempt

KEPT = timedelta(days=1)
_NOT_LOCKED = timedelta(0)
_LARGEST_SKEW = timedelta(minutes=10)


class By(StrEnum):
    PAIR = "pair"  # this account from this address
    ADDRESS = "address"
    SPRAY = "spray"  # different accounts from this address
    ACCOUNT = "account"  # this account from any address


@dataclass(frozen=True, slots=True)
class Rule:
    """At most `limit` failures (for SPRAY: other accounts) within `window`; a knob where operators may turn it.

    Without `locks_for` the next is let pass when the oldest of them leaves the window; with it, that long after the
    newest of them.
    """

    by: By
    limit: int | Knob[int]
    window: timedelta
    locks_for: timedelta = _NOT_LOCKED

    def most(self) -> int:
        """The limit in force."""
        return self.limit if isinstance(self.limit, int) else self.limit.get()


class TooManyAttempts(RateLimited):
    """`retry_after` in seconds; the sentence names it in minutes."""

    code = "TOO_MANY_ATTEMPTS"

    def __init__(self, wait: timedelta) -> None:
        seconds = max(1, int(wait.total_seconds()) + 1)
        minutes = -(-seconds // 60)
        unit = "minute" if minutes == 1 else "minutes"
        super().__init__(f"Too many attempts. Try again in {minutes} {unit}.", retry_after=seconds)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt, written down as failed until it has succeeded. `kind` is what is tried to be proved."""

    kind: str
    account: bytes
    address: str | None
    row_id: int | None


def account_key(text: str) -> bytes:
    """SHA-256 of what names the account: an address that was mistyped is not kept in clear."""
    return hashlib.sha256(text.strip().lower().encode()).digest()


def counted_address(address: str | None) -> str | None:
    """The address that is counted: of IPv6 the /64, which one customer has to themselves."""
    if address is None:
        return None
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)


def begin(kind: str, *, rules: Sequence[Rule], account: bytes, address: str | None) -> Attempt:
    """Writes an attempt down, before it is tried.

    Args:
        account: `account_key` of the account that is meant, whether there is one or not.

    Raises:
        TooManyAttempts: it may not be tried now.
    """
    moment = now()
    counted = counted_address(address)
    row = FailedAttempt.objects.create(at=moment, kind=kind, account=account, address=counted)
    attempt = Attempt(kind=kind, account=account, address=counted, row_id=row.pk)
    wait = _longest_wait(rules, attempt, moment)
    if wait is not None:
        row.delete()
        raise TooManyAttempts(wait)
    return attempt


def failed(kind: str, *, rules: Sequence[Rule], account: bytes, address: str | None) -> None:
    """Writes down what has failed already, where being held back spares nobody the trial.

    Raises:
        TooManyAttempts: there were too many before it; it is not counted itself.
    """
    moment = now()
    attempt = Attempt(kind=kind, account=account, address=counted_address(address), row_id=None)
    wait = _longest_wait(rules, attempt, moment)
    if wait is not None:
        raise TooManyAttempts(wait)
    FailedAttempt.objects.create(at=moment, kind=kind, account=account, address=attempt.address)


def succeeded(attempt: Attempt) -> None:
    """Takes the attempt back, with the failures before it of the same account from the same address."""
    FailedAttempt.objects.filter(kind=attempt.kind, account=attempt.account, address=attempt.address).delete()


def prune() -> int:
    """Forgets what no rule counts any more; answers how many rows went."""
    return FailedAttempt.objects.filter(at__lt=now() - KEPT).delete()[0]


def _longest_wait(rules: Sequence[Rule], attempt: Attempt, moment: datetime) -> timedelta | None:
    waits = [wait for rule in rules if (wait := _wait(rule, attempt, moment)) is not None]
    return max(waits) if waits else None


def _wait(rule: Rule, attempt: Attempt, moment: datetime) -> timedelta | None:
    """How long until the rule lets one more pass; None: it does now."""
    since = moment - rule.window - rule.locks_for
    # What a clock that ran wild wrote down must not lock anybody out for as long as it was wrong.
    others = FailedAttempt.objects.filter(kind=attempt.kind, at__gt=since, at__lte=moment + _LARGEST_SKEW)
    if attempt.row_id is not None:
        others = others.exclude(pk=attempt.row_id)
    times = _times(rule, attempt, others)
    if len(times) < rule.most():
        return None
    if not rule.locks_for:
        return times[-1] + rule.window - moment
    # While it is locked nothing is written down: the newest ones are those that locked it.
    locked = times[0] - times[-1] <= rule.window and moment < times[0] + rule.locks_for
    return times[0] + rule.locks_for - moment if locked else None


def _times(rule: Rule, attempt: Attempt, others: QuerySet[FailedAttempt]) -> list[datetime]:
    """The newest failures that the rule counts, newest first, at most as many as it allows."""
    if rule.by is not By.ACCOUNT and attempt.address is None:
        return []
    if rule.by is By.SPRAY:
        accounts = others.filter(address=attempt.address).exclude(account=attempt.account)
        latest = accounts.order_by().values("account").annotate(last=Max("at")).order_by("-last")
        return list(latest.values_list("last", flat=True)[: rule.most()])
    if rule.by is not By.ADDRESS:
        others = others.filter(account=attempt.account)
    if rule.by is not By.ACCOUNT:
        others = others.filter(address=attempt.address)
    return list(others.order_by("-at").values_list("at", flat=True)[: rule.most()])
