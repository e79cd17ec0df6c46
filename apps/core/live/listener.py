"""One thread a process: LISTEN, and a poll every 1.5 s behind it."""

import os
import threading
import time
from collections.abc import Callable

import psycopg
import structlog

from apps.core.live.link import open_link
from apps.core.live.topics import CHANNEL

log = structlog.get_logger(__name__)

# What an announcement was lost of is in force within 2 s: some is left for loading it.
POLL_SECONDS = 1.5
Callback = Callable[[int], None]


class Listener:
    """Calls back when a topic's revision grows, and whenever the connection was lost: behind a new one may stand a
    database that was restored to an older state, whose revisions count anew from lower numbers.

    Callbacks run in the listener's thread and must be short.
    """

    def __init__(self) -> None:
        self._callbacks: dict[str, list[Callback]] = {}
        self._seen: dict[str, int] = {}
        self._thread: threading.Thread | None = None
        self._pid = 0
        self._stop = threading.Event()
        self._guard = threading.Lock()
        self.connected = False
        self.last_heard = 0.0

    def subscribe(self, topic: str, callback: Callback) -> None:
        """Calls `callback(revision)` soon after each change of `topic`, and with the present revision once now and
        after each loss of the connection."""
        with self._guard:
            self._callbacks.setdefault(topic, []).append(callback)
            self._seen.pop(topic, None)
        self.start()

    def start(self) -> None:
        """Starts the thread; in a forked child, again."""
        with self._guard:
            if self._thread is not None and self._pid == os.getpid() and self._thread.is_alive():
                return
            self._pid = os.getpid()
            self._stop = threading.Event()
            self._thread = threading.Thread(target=self._run, name="live-listener", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        stop = self._stop
        while not stop.is_set():
            try:
                self._listen(stop)
            except Exception as lost:  # noqa: BLE001  without this thread the process would serve what is stale
                self.connected = False
                log.warning("live_connection_lost", error=type(lost).__name__)
                stop.wait(POLL_SECONDS)

    def forget_thread(self) -> None:
        """In a forked child: the thread stayed with the parent, and the lock may have been held there."""
        self._guard = threading.Lock()
        self._thread = None
        self.connected = False

    def _listen(self, stop: threading.Event) -> None:
        with open_link() as link:
            link.execute(f"LISTEN {CHANNEL}")
            with self._guard:
                self._seen.clear()
            self.connected = True
            while not stop.is_set():
                self._poll(link)
                deadline = time.monotonic() + POLL_SECONDS
                while not stop.is_set() and (left := deadline - time.monotonic()) > 0:
                    for notice in link.notifies(timeout=min(left, 0.5), stop_after=1):
                        topic, _, number = notice.payload.rpartition(" ")
                        if number.isascii() and number.isdigit():
                            self._heard(topic, int(number))

    def _poll(self, link: "psycopg.Connection[tuple[str, int]]") -> None:
        present = dict(link.execute("SELECT name, revision FROM core_live_topic").fetchall())
        with self._guard:
            topics = list(self._callbacks)
        for topic in topics:
            self._heard(topic, present.get(topic, 0))
        self.last_heard = time.monotonic()

    def _heard(self, topic: str, number: int) -> None:
        with self._guard:
            callbacks = list(self._callbacks.get(topic, ()))
            if not callbacks or self._seen.get(topic, -1) >= number:
                return
            self._seen[topic] = number
        for callback in callbacks:
            try:
                callback(number)
            except Exception:
                # Forget what was seen, so that the next poll calls again.
                with self._guard:
                    self._seen.pop(topic, None)
                log.exception("live_callback_failed", topic=topic)


listener = Listener()
os.register_at_fork(after_in_child=listener.forget_thread)
