"""Attempts to prove who one is, counted in PostgreSQL: by account and address together, by address, by spray, and by
account.

An attempt is written down before it is tried and counted afterwards, so that many at once can't pass the count
together. The one that goes over is taken back: refused attempts don't prolong the wait. Success takes back the
attempts of the same account from the same address, no others: one's own account can't be used to clear an address.

A victim is not locked out from elsewhere: what is counted over all addresses does not bind a browser that has signed
in to the account before (apps.users.auth.devices).
"""

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Max, QuerySet

from apps.core.clock import now
from apps.core.errors import RateLimited
from apps.core.knobs import Knob
from apps.users.knobs import PASSWORD_BY_ACCOUNT, PASSWORD_BY_ADDRESS, PASSWORD_BY_PAIR, PASSWORD_BY_SPRAY
from apps.users.models import LoginFailure


class Proof(StrEnum):
    """What is tried."""

    PASSWORD = "password"  # noqa: S105  the name of a kind of proof
    CODE = "code"
    RESET = "reset"  # asking for a link: not a proof, but as costly to leave uncounted


class By(StrEnum):
    PAIR = "pair"  # this account from this address
    ADDRESS = "address"
    SPRAY = "spray"  # different accounts from this address
    ACCOUNT = "account"  # this account from any address


@dataclass(frozen=True, slots=True)
class Rule:
    """At most `limit` failures (for SPRAY: other accounts) within `window`; a knob where operators may turn it."""

    by: By
    limit: int | Knob[int]
    window: timedelta

    def most(self) -> int:
        """The limit in force."""
        return self.limit if isinstance(self.limit, int) else self.limit.get()


_QUARTER = timedelta(minutes=15)
RULES: dict[Proof, tuple[Rule, ...]] = {
    Proof.PASSWORD: (
        Rule(By.PAIR, PASSWORD_BY_PAIR, _QUARTER),
        Rule(By.ADDRESS, PASSWORD_BY_ADDRESS, _QUARTER),
        Rule(By.SPRAY, PASSWORD_BY_SPRAY, timedelta(hours=1)),
        Rule(By.ACCOUNT, PASSWORD_BY_ACCOUNT, _QUARTER),
    ),
    # Six digits: an attacker who has the password gets few guesses, from wherever they come.
    Proof.CODE: (Rule(By.PAIR, 5, _QUARTER), Rule(By.ADDRESS, 30, _QUARTER), Rule(By.ACCOUNT, 10, _QUARTER)),
    Proof.RESET: (Rule(By.ACCOUNT, 3, _QUARTER), Rule(By.ADDRESS, 20, _QUARTER)),
}
_BIND_KNOWN_BROWSERS = frozenset({By.PAIR})
KEPT = timedelta(days=1)


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
    """One attempt, written down as failed until it has succeeded."""

    proof: Proof
    account: bytes
    address: str | None
    row_id: int


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


def begin(proof: Proof, *, account: bytes, address: str | None, known_browser: bool = False) -> Attempt:
    """Writes an attempt down.

    Args:
        account: `account_key` of the account that is meant, whether there is one or not.
        known_browser: it has signed in to this account before.

    Raises:
        TooManyAttempts: it may not be tried now.
    """
    moment = now()
    counted = counted_address(address)
    row = LoginFailure.objects.create(at=moment, kind=proof, account=account, address=counted)
    attempt = Attempt(proof=proof, account=account, address=counted, row_id=row.pk)
    rules = [rule for rule in RULES[proof] if not known_browser or rule.by in _BIND_KNOWN_BROWSERS]
    waits = [wait for rule in rules if (wait := _wait(rule, attempt, moment)) is not None]
    if waits:
        row.delete()
        raise TooManyAttempts(max(waits))
    return attempt


def succeeded(attempt: Attempt) -> None:
    """Takes the attempt back, with the failures before it of the same account from the same address."""
    LoginFailure.objects.filter(kind=attempt.proof, account=attempt.account, address=attempt.address).delete()


def prune() -> int:
    """Forgets what no rule counts any more; answers how many rows went."""
    return LoginFailure.objects.filter(at__lt=now() - KEPT).delete()[0]


def _wait(rule: Rule, attempt: Attempt, moment: datetime) -> timedelta | None:
    """How long until the rule lets one more pass; None: it does now."""
    others = LoginFailure.objects.filter(kind=attempt.proof, at__gt=moment - rule.window)
    others = others.exclude(pk=attempt.row_id)
    times = _times(rule, attempt, others)
    if len(times) < rule.most():
        return None
    return times[-1] + rule.window - moment


def _times(rule: Rule, attempt: Attempt, others: QuerySet[LoginFailure]) -> list[datetime]:
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
