"""Attempts to sign in, counted by apps.core.attempts: what may be tried how often.

A victim is not locked out from elsewhere: what is counted over all addresses does not bind a browser that has signed
in to the account before (apps.users.auth.devices).
"""

from datetime import timedelta
from enum import StrEnum

from apps.core import attempts
from apps.core.attempts import Attempt, By, Rule, account_key, succeeded
from apps.users.knobs import PASSWORD_BY_ACCOUNT, PASSWORD_BY_ADDRESS, PASSWORD_BY_PAIR, PASSWORD_BY_SPRAY

__all__ = ["Attempt", "Proof", "account_key", "begin", "succeeded"]


class Proof(StrEnum):
    """What is tried."""

    PASSWORD = "password"  # noqa: S105  the name of a kind of proof
    CODE = "code"
    RESET = "reset"  # asking for a link: not a proof, but as costly to leave uncounted


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


def begin(proof: Proof, *, account: bytes, address: str | None, known_browser: bool = False) -> Attempt:
    """Writes an attempt down.

    Args:
        account: `account_key` of the account that is meant, whether there is one or not.
        known_browser: it has signed in to this account before.

    Raises:
        TooManyAttempts: it may not be tried now.
    """
    rules = [rule for rule in RULES[proof] if not known_browser or rule.by in _BIND_KNOWN_BROWSERS]
    return attempts.begin(proof, rules=rules, account=account, address=address)
