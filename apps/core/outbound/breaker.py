"""Stops calling what does not answer, so that our threads don't wait for it one by one."""

import threading
import time

from apps.core.errors import Unavailable


class CircuitOpen(Unavailable):
    code = "CIRCUIT_OPEN"
    message = "A service that this needs has failed several times; it is tried again shortly."


class Breaker:
    """Closed; after `failures` in a row open for `pause` seconds; then one call is let through to try."""

    def __init__(self, name: str, *, failures: int = 5, pause: float = 30.0) -> None:
        self.name = name
        self._limit = failures
        self._pause = pause
        self._failed = 0
        self._opened = 0.0
        self._trying = False
        self._guard = threading.Lock()

    @property
    def is_open(self) -> bool:
        with self._guard:
            return self._failed >= self._limit

    def enter(self) -> None:
        """Asks whether a call may be made; each entry is followed by `succeeded`, `failed` or `left`.

        Raises:
            CircuitOpen: not now.
        """
        with self._guard:
            if self._failed < self._limit:
                return
            if self._trying or time.monotonic() - self._opened < self._pause:
                raise CircuitOpen(f"{self.name} has failed several times; it is tried again shortly.")
            self._trying = True

    def succeeded(self) -> None:
        with self._guard:
            self._failed, self._trying = 0, False

    def failed(self) -> None:
        with self._guard:
            self._failed += 1
            self._trying = False
            if self._failed >= self._limit:
                self._opened = time.monotonic()

    def left(self) -> None:
        """The call ended without telling anything about the service (it was refused on our side)."""
        with self._guard:
            self._trying = False
