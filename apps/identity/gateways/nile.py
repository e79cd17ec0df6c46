"""Nile's auth service: whose session is this?

What of its published interface is relied upon stands in docs/decisions/2026-11-21-nile-sessions.md.
"""

import structlog

from apps.core.errors import DomainError, Unavailable
from apps.core.outbound import Answer, Client, Guard
from apps.core.parsing import parse_json
from apps.identity.trust import InsideGuard

log = structlog.get_logger(__name__)

NAME = "Nile's auth service"
TIMEOUT_SECONDS = 2.0
# A person's names, picture's address and tenants: a few kilobytes.
MAX_BYTES = 262_144
_LONGEST_SUBJECT = 255
# With or without the prefix, by the scheme under which Nile believes to be called.
SECURE_COOKIE, PLAIN_COOKIE = "__Secure-nile.session-token", "nile.session-token"


class NileAway(Unavailable):
    """Whether the session is good can't be told now. Nothing was decided: it is neither a yes nor a no."""

    code = "UPSTREAM_UNAVAILABLE"
    message = f"{NAME} does not answer; sessions of Nile can't be checked now."


class Nile:
    """Asks one Nile database's auth service. Safe to share between threads.

    Args:
        url: the database's API address, as Nile's console shows it, without a slash at the end.
        networks: networks (CIDR) in which it may lie though they are not public; only there may it be http://.
    """

    def __init__(self, url: str, *, networks: list[str]) -> None:
        self._url = f"{url}/me"
        guard = (
            Guard(schemes=("https",), ports=(), networks=networks)
            if url.startswith("https://")
            else InsideGuard(schemes=("http",), ports=(), networks=networks)
        )
        self._client = Client(NAME, guard=guard, timeout=TIMEOUT_SECONDS, attempts=1, max_bytes=MAX_BYTES)

    def close(self) -> None:
        self._client.close()

    def subject(self, token: str) -> str | None:
        """Nile's id of the person whose session that is; None where it is nobody's, or over.

        Args:
            token: what stands in the session cookie; only signs that may stand in a cookie.

        Raises:
            NileAway: no answer within 2 s, or none that says yes or no.
        """
        # Nile looks at one of the two names and passes over the other.
        cookies = f"{SECURE_COOKIE}={token}; {PLAIN_COOKIE}={token}"
        try:
            answer = self._client.request(
                "GET", self._url, headers={"Cookie": cookies, "Accept": "application/json"}
            )
        except DomainError as failed:
            log.warning("nile_away", reason=failed.code)
            raise NileAway from None
        if answer.status in {401, 404}:
            return None
        return _subject(answer)


def _subject(answer: Answer) -> str:
    if answer.status != 200:
        log.warning("nile_away", reason="status", status=answer.status)
        raise NileAway
    try:
        found = parse_json(answer.body, max_bytes=MAX_BYTES)
    except DomainError as broken:
        log.warning("nile_away", reason=broken.code)
        raise NileAway from None
    subject = found.get("id") if isinstance(found, dict) else None
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
        log.warning("nile_away", reason="no_id")
        raise NileAway
    return subject
