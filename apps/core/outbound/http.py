"""The HTTP client of every gateway: guard, one deadline, retries of what may be repeated, circuit breaker."""

import secrets
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import certifi
import httpcore
import httpx
import structlog

from apps.core.errors import Unavailable
from apps.core.observability.metrics import OUTBOUND
from apps.core.outbound.backend import GuardedBackend, deadline, remaining
from apps.core.outbound.breaker import Breaker
from apps.core.outbound.guard import Guard

log = structlog.get_logger(__name__)

_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_PASSING = frozenset({429, 502, 503, 504})
_FIRST_PAUSE = 0.2


class OutboundFailed(Unavailable):
    """The other side did not answer, or not in time; `details["reason"]` says which, never what it said."""

    code = "OUTBOUND_FAILED"
    message = "Another service does not answer."


class AnswerTooLarge(OutboundFailed):
    code = "ANSWER_TOO_LARGE"
    message = "Another service sent more than was asked for."


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; any status, redirects too (they are never followed)."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class Client:
    """Calls one service. Safe to share between threads; keeps connections open between calls.

    Args:
        name: the service's name, in logs, metrics and sentences.
        guard: which addresses may be called.
        timeout: seconds for a whole call with its retries.
        attempts: how often a repeatable call is tried.
        max_bytes: the largest answer that is read.
        breaker: shared between clients of the same service, if need be.
        verify: the TLS context, where another than the public roots is needed.
    """

    def __init__(
        self,
        name: str,
        *,
        guard: Guard,
        timeout: float = 10.0,
        attempts: int = 3,
        max_bytes: int = 10_485_760,
        breaker: Breaker | None = None,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        self.name = name
        self._guard = guard
        self._timeout = timeout
        self._attempts = max(1, attempts)
        self._max_bytes = max_bytes
        self.breaker = breaker or Breaker(name)
        self._pool = httpcore.ConnectionPool(
            ssl_context=verify or ssl.create_default_context(cafile=certifi.where()),
            network_backend=GuardedBackend(guard),
            max_connections=32,
            max_keepalive_connections=8,
            keepalive_expiry=20.0,
        )

    def close(self) -> None:
        self._pool.close()

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        idempotent: bool | None = None,
    ) -> Answer:
        """One call; GET, HEAD, OPTIONS, PUT and DELETE are repeated where the other side fails, others only when
        `idempotent` says so (they carry an idempotency key).

        Raises:
            AddressRefused: the guard does not allow the address.
            OutboundFailed: no answer in time.
            CircuitOpen: it failed too often just now.
        """
        parsed = self._guard.check_url(url)
        # Compressed answers are not asked for: a small one may unfold to any size.
        whole = httpx.Headers({"User-Agent": "Steward", "Accept": "*/*", "Accept-Encoding": "identity"})
        whole.update(headers)
        request = httpx.Request(
            method.upper(), parsed, headers=whole, content=content, json=json, params=params
        )
        repeatable = request.method in _REPEATABLE if idempotent is None else idempotent
        with deadline(self._timeout):
            return self._tried(request, attempts=self._attempts if repeatable else 1)

    def _tried(self, request: httpx.Request, *, attempts: int) -> Answer:
        for attempt in range(1, attempts + 1):
            answer, failure = self._once(request)
            last = attempt == attempts
            if answer is not None and (answer.status not in _PASSING or last):
                return answer
            if failure is not None and last:
                raise failure
            pause = _pause(attempt, answer)
            left = self._left()
            if pause >= left:
                if answer is not None:
                    return answer
                raise failure or OutboundFailed(f"{self.name} does not answer.")
            log.info(
                "outbound_retry", service=self.name, attempt=attempt, status=answer.status if answer else None
            )
            time.sleep(pause)
        raise OutboundFailed(f"{self.name} does not answer.")

    @staticmethod
    def _left() -> float:
        try:
            return remaining() or 0.0
        except httpcore.ReadTimeout:
            return 0.0

    def _once(self, request: httpx.Request) -> tuple[Answer | None, OutboundFailed | None]:
        self.breaker.enter()
        try:
            answer = self._exchange(request)
        except (
            httpcore.NetworkError,
            httpcore.TimeoutException,
            httpcore.ProtocolError,
            httpcore.ProxyError,
        ) as broken:
            self.breaker.failed()
            OUTBOUND.labels(self.name, "failed").inc()
            late = isinstance(broken, httpcore.TimeoutException)
            sentence = f"{self.name} does not answer in time." if late else f"{self.name} does not answer."
            return None, OutboundFailed(sentence, details={"reason": "timeout" if late else "connection"})
        except BaseException:
            self.breaker.left()
            raise
        if answer.status >= 500:
            self.breaker.failed()
        else:
            self.breaker.succeeded()
        OUTBOUND.labels(self.name, f"{answer.status // 100}xx").inc()
        return answer, None

    def _exchange(self, request: httpx.Request) -> Answer:
        left = remaining(self._timeout)
        timeouts = {"connect": left, "read": left, "write": left, "pool": left}
        target = request.url
        low = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path
            ),
            headers=request.headers.raw,
            content=request.read(),
            extensions={"timeout": timeouts},
        )
        answer = self._pool.handle_request(low)
        try:
            body = bytearray()
            for chunk in answer.iter_stream():
                body += chunk
                if len(body) > self._max_bytes:
                    raise AnswerTooLarge(f"{self.name} sent more than {self._max_bytes} bytes.")
        finally:
            answer.close()
        received = httpx.Headers(answer.headers)
        if received.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}:
            raise OutboundFailed(f"{self.name} sent a compressed answer that was not asked for.")
        return Answer(status=answer.status, headers=received, body=bytes(body))


def _pause(attempt: int, answer: Answer | None) -> float:
    """Seconds before the next attempt: doubling with jitter, or what the other side asks for."""
    asked = answer.headers.get("Retry-After", "") if answer is not None else ""
    if asked.isascii() and asked.isdigit() and len(asked) < 6:
        return float(asked)
    spread: float = 0.5 + secrets.randbelow(1000) / 1000
    return _FIRST_PAUSE * 2.0 ** (attempt - 1) * spread
