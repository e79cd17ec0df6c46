"""What changed, told to everybody who listens: the events behind GET /internal/admin/flags/stream.

An event says which flags may answer otherwise now; what they answer is asked with `bootstrap`. Its id is the revision
of that answer. The last ones are kept, so that a subscriber who comes back with `Last-Event-ID` misses none; one who
was away for longer, or whose server has started anew, is told to begin from a bootstrap (`reset`).
"""

import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from apps.core.errors import Unavailable
from apps.flags.engine import Snapshot
from apps.flags.snapshot import holder

KEPT = 1_000
# Proxies close what is silent; a subscriber who is gone is noticed at the next one.
HEARTBEAT_SECONDS = 15.0
HEARTBEAT = b": still here\n\n"
RETRY = b"retry: 1000\n\n"


class StreamsTaken(Unavailable):
    """As many streams are open in this process as it holds."""

    message = "No further stream is taken here: ask the stream server, or try again later."
    retry_after = 5


@dataclass(frozen=True, slots=True)
class Event:
    """`name`: `ready` (the first of a stream), `change`, or `reset`."""

    name: str
    revision: str
    keys: tuple[str, ...] = ()
    tenants: bool = False

    def encode(self) -> bytes:
        data: dict[str, object] = {"revision": self.revision}
        if self.name == "change":
            data |= {"keys": self.keys, "tenants": self.tenants}
        return b"event: %b\nid: %b\ndata: %b\n\n" % (
            self.name.encode(),
            self.revision.encode(),
            orjson.dumps(data),
        )


class Hub:
    """The changes of this process's snapshot, in order, and those who wait for the next one."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque(maxlen=KEPT)
        self._changed = threading.Condition()
        self._revision = ""
        self._looked_at = 0.0
        self._count = 0
        self._snapshot: Snapshot | None = None
        self._open = 0
        self._watching = False

    def subscribe(self, last_event_id: str | None, *, most: int, seconds: float) -> Iterator[bytes]:
        """The bytes of a stream.

        Args:
            last_event_id: the revision that the subscriber knows.
            most: how many streams this process holds.
            seconds: when it ends; subscribers come back with the id of the last event.

        Raises:
            StreamsTaken
            FlagsUnavailable: see apps.flags.snapshot.
        """
        self._begin()
        with self._changed:
            if self._open >= most:
                raise StreamsTaken
            self._open += 1
        stream = self._stream(last_event_id, time.monotonic() + seconds)
        # Begun here: who closes a generator that was never begun does not run what gives its place back.
        next(stream)
        return stream

    def _stream(self, last_event_id: str | None, deadline: float) -> Iterator[bytes]:
        try:
            yield b""
            with self._changed:
                self._look(time.time())
                known, position = self._since(last_event_id), self._count
            yield RETRY + b"".join(event.encode() for event in known)
            while (left := deadline - time.monotonic()) > 0:
                with self._changed:
                    if self._count == position:
                        self._changed.wait(min(left, self._patience()))
                    self._look(time.time())
                    fresh, position = self._after(position), self._count
                yield b"".join(event.encode() for event in fresh) or HEARTBEAT
        finally:
            with self._changed:
                self._open -= 1

    def _begin(self) -> None:
        with self._changed:
            first, self._watching = not self._watching, True
        if first:
            # Before the snapshot is looked at, so that none is missed in between.
            holder.watch(self._swapped)
        snapshot = holder.current()
        with self._changed:
            if self._snapshot is None:
                self._begin_with(snapshot)

    def _begin_with(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._looked_at = time.time()
        self._revision = snapshot.revision_at(self._looked_at)
        # Where the changes begin: who comes back with this revision has missed them all, and none before.
        self._events.append(Event("ready", self._revision))

    def _swapped(self, snapshot: Snapshot) -> None:
        """Called before the snapshot is in force."""
        with self._changed:
            before = self._snapshot
            if before is None:
                self._begin_with(snapshot)
                return
            # What ended since the last look ended in the former one: behind the swap nobody would be told.
            self._look(time.time())
            self._snapshot = snapshot
            revision = snapshot.revision_at(time.time())
            if revision != self._revision:
                keys = snapshot.changed_since(before)
                self._add(Event("change", revision, keys, snapshot.tenants_differ(before)))

    def _look(self, now: float) -> None:
        """An override that ended changes answers without a write."""
        if self._snapshot is None:
            return
        revision = self._snapshot.revision_at(now)
        if revision != self._revision:
            self._add(Event("change", revision, self._snapshot.ended(self._looked_at, now)))
        self._looked_at = now

    def _add(self, event: Event) -> None:
        self._events.append(event)
        self._revision = event.revision
        self._count += 1
        self._changed.notify_all()

    def _since(self, last_event_id: str | None) -> list[Event]:
        if last_event_id is None:
            return [Event("ready", self._revision)]
        if last_event_id == self._revision:
            return []
        kept = list(self._events)
        places = [number for number, event in enumerate(kept) if event.revision == last_event_id]
        return kept[places[-1] + 1 :] if places else [Event("reset", self._revision)]

    def _after(self, position: int) -> list[Event]:
        missing = self._count - position
        if missing > len(self._events):
            return [Event("reset", self._revision)]
        return list(self._events)[len(self._events) - missing :]

    def _patience(self) -> float:
        ends = self._snapshot.next_expiry(time.time()) if self._snapshot is not None else None
        return (
            HEARTBEAT_SECONDS if ends is None else max(0.0, min(HEARTBEAT_SECONDS, ends - time.time() + 0.01))
        )


hub = Hub()
