"""The listener of this process (apps.core.live) between two tests."""

import threading
import time
from typing import Any

import psycopg

from apps.core.live import listener
from apps.core.live.topics import CHANNEL

_TOPIC = "tests.between"
_PATIENCE_SECONDS = 20.0


class _Echo:
    """Announces a number and hears it again: announcements come in order, so all before it were heard."""

    def __init__(self) -> None:
        self._number = 0
        self._heard = threading.Event()

    def wait(self, link: "psycopg.Connection[tuple[Any, ...]]") -> None:
        if not self._number:
            listener.subscribe(_TOPIC, self._note)
        self._number += 1
        self._heard.clear()
        deadline = time.monotonic() + _PATIENCE_SECONDS
        # Said again, in case the listener was just about to connect.
        while not self._heard.is_set() and time.monotonic() < deadline:
            link.execute("SELECT pg_notify(%s, %s)", [CHANNEL, f"{_TOPIC} {self._number}"])
            self._heard.wait(timeout=0.2)

    def _note(self, number: int) -> None:
        if number == self._number:
            self._heard.set()


_echo = _Echo()


def begin_anew(link: "psycopg.Connection[tuple[Any, ...]]") -> None:
    """Call it when the database is empty: waits until all that was announced is heard, and counts from 0 again.

    Otherwise a late announcement would make this process forget something in the middle of the next test, and the
    first revisions of that test would pass for old ones. A listener that does not run hears nothing and needs nothing.
    """
    thread = listener._thread
    if thread is None or not thread.is_alive():
        return
    _echo.wait(link)
    with listener._guard:
        listener._seen = dict.fromkeys(listener._callbacks, 0)
