"""The flags as this process knows them: one immutable engine snapshot, swapped for the next when something changed.

Reading takes no query and no lock. A process loads at its first read and then listens (apps.core.live) to what
changes flags and to what changes tenants. With the database away the last snapshot serves on and `stale()` says so;
a process that starts while it is away begins with the file that others wrote (setting FLAGS_SNAPSHOT_FILE).

    decision = holder.current().evaluate(key, tenant_id, context, at=time.time())
"""

import os
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import psycopg
import structlog
from django.conf import settings
from django.db import connection

from apps.core import live
from apps.core.live.listener import POLL_SECONDS
from apps.flags import stored
from apps.flags.engine import Snapshot
from apps.flags.errors import FlagsUnavailable
from apps.flags.models import TOPIC
from apps.tenants.events import ATTRIBUTES_TOPIC

log = structlog.get_logger(__name__)

# After three polls that did not come, and some, what is known may be old.
STALE_SECONDS = 3 * POLL_SECONDS + 0.5
_RETRY_SECONDS = 1.0
_KEEP_SECONDS = 1.0

Watcher = Callable[[Snapshot], None]
Link = psycopg.Connection[tuple[Any, ...]]


class Holder:
    """The snapshot of this process."""

    def __init__(self) -> None:
        self._snapshot: Snapshot | None = None
        self._versions = (-1, -1)
        self._rows: stored.Rows | None = None
        self._link: Link | None = None
        self._inherited: Link | None = None
        self._listening = self._subscribed = self._pinned = False
        self._from_file = self._behind = False
        self._loaded_at = self._next_try = 0.0
        self._watchers: list[Watcher] = []
        self._guard = threading.Lock()
        self._starting = threading.Lock()

    def current(self) -> Snapshot:
        """The snapshot in force. The first call in a process loads it and starts to listen.

        Raises:
            FlagsUnavailable: neither the database nor the file has been there yet.
        """
        if not self._listening and not self._pinned:
            self._begin()
        if self._snapshot is None:
            raise FlagsUnavailable
        return self._snapshot

    def current_with(self, keys: Iterable[str]) -> Snapshot:
        """As `current`; where one of these flags is so new that this process has not heard of it, it loads first."""
        if any(key not in self.current() for key in keys):
            self.refresh_quietly()
        return self.current()

    def stale(self) -> bool:
        """True where the database has not been heard of for some seconds, or what it announced is not loaded."""
        if self._pinned:
            return False
        if self._snapshot is None or self._from_file or self._behind:
            return True
        return time.monotonic() - max(self._loaded_at, live.listener.last_heard) > STALE_SECONDS

    def watch(self, watcher: Watcher) -> None:
        """Calls `watcher(snapshot)` with every new snapshot, before it is in force; what it prepares (bytes, ETags)
        is there when the first reader sees it. It must be short and not raise."""
        self._watchers.append(watcher)

    def refresh(self, *, only_news: bool = False) -> None:
        """Loads what stands in the database now.

        Args:
            only_news: where no revision was raised since the last load, nothing is made anew. Of a write that changes
                a hundred flags each one asks for a load, and the listener does.

        Raises:
            psycopg.Error: it is away; the snapshot stays as it was.
        """
        with self._guard:
            # Reads follow one another, so what was read last is newest, whatever its revision: that of a restored
            # database may be lower.
            rows, known, snapshot = self._read(only_news), self._rows, self._snapshot
            if rows is not known or snapshot is None:
                before = (known, snapshot) if known is not None and snapshot is not None else None
                self._put(stored.build(rows, before=before), rows.versions)
                self._rows = rows
                keeper.keep(settings.FLAGS_SNAPSHOT_FILE, rows)
            self._from_file = self._behind = False
            self._loaded_at = time.monotonic()

    def refresh_quietly(self) -> None:
        """As `refresh`, where this process has flags at all; with the database away the listener will catch up."""
        if self._pinned or not self._listening:
            return
        try:
            self.refresh(only_news=True)
        except psycopg.Error as away:
            log.warning("flags_not_loaded", error=type(away).__name__)

    def pin_present(self) -> None:
        """Serves what Django's connection sees now, the open transaction included, and listens no longer (tests,
        rehearsals)."""

        def fetch(sql: str) -> list[tuple[Any, ...]]:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall())

        rows = stored.read(fetch)
        self.pin(stored.build(rows))

    def pin(self, snapshot: Snapshot) -> None:
        """Serves this snapshot and listens no longer."""
        with self._guard:
            self._pinned, self._rows = True, None
            self._hang_up()
            self._put(snapshot, self._versions)

    def forget(self) -> None:
        """Drops everything: the next read loads again (after a restore of the database; between tests)."""
        with self._guard:
            self._snapshot, self._versions, self._rows = None, (-1, -1), None
            self._hang_up()
            self._listening = self._pinned = self._from_file = self._behind = False
            self._next_try = 0.0

    @property
    def is_empty(self) -> bool:
        """True where nothing was loaded yet."""
        return self._snapshot is None

    def after_fork(self) -> None:
        """In a forked child: what was loaded serves on, but nobody listens yet."""
        self._guard, self._starting = threading.Lock(), threading.Lock()
        # The parent's socket: kept, since closing it here would end it for the parent.
        self._link, self._inherited = None, self._link
        self._listening = False
        self._next_try = 0.0

    def _read(self, only_news: bool) -> stored.Rows:
        """On a connection that stays: a change is loaded in the time of a few queries."""
        try:
            link, is_same = self._link, True
            if link is None or link.closed:
                link, is_same = live.open_link(), False
                self._link = link
            with link.transaction():
                link.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                return stored.read(
                    lambda sql: link.execute(sql).fetchall(),
                    before=self._rows,
                    is_same_database=is_same,
                    only_news=only_news,
                )
        except psycopg.Error:
            self._hang_up()
            raise

    def _hang_up(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None

    def _put(self, snapshot: Snapshot, versions: tuple[int, int]) -> None:
        for watcher in self._watchers:
            watcher(snapshot)
        self._snapshot, self._versions = snapshot, versions

    def _begin(self) -> None:
        # Whoever comes while the first load runs waits for it; with something to serve, nobody waits for a retry.
        with self._starting:
            if self._listening or time.monotonic() < self._next_try:
                return
            try:
                self.refresh()
            except psycopg.Error as away:
                log.warning("flags_not_loaded", error=type(away).__name__)
                self._next_try = time.monotonic() + _RETRY_SECONDS
                if self._snapshot is None:
                    self._load_file()
                if self._snapshot is None:
                    return
            self._listening = True
            if self._subscribed:
                live.listener.start()
                return
            self._subscribed = True
            live.listener.subscribe(TOPIC, lambda revision: self._heard(0, revision))
            live.listener.subscribe(ATTRIBUTES_TOPIC, lambda revision: self._heard(1, revision))

    def _load_file(self) -> None:
        rows = stored.read_file(settings.FLAGS_SNAPSHOT_FILE)
        if rows is not None:
            with self._guard:
                # Whatever the database says is newer.
                self._put(stored.build(rows), (-1, -1))
                self._from_file = True

    def _heard(self, place: int, revision: int) -> None:
        if self._pinned or not self._listening:
            return
        if revision != self._versions[place] or self._from_file or self._behind:
            self._behind = True
            self.refresh(only_news=True)


class Keeper:
    """Writes the file a little later and in a thread of its own: who waits for a change does not wait for it."""

    def __init__(self) -> None:
        self._waiting: tuple[str, stored.Rows] | None = None
        self._guard = threading.Lock()

    def keep(self, path: str, rows: stored.Rows) -> None:
        """Soon; of several within a second, the last."""
        if not path:
            return
        with self._guard:
            is_first = self._waiting is None
            self._waiting = path, rows
            if is_first:
                timer = threading.Timer(_KEEP_SECONDS, self._write)
                timer.daemon = True
                timer.start()

    def _write(self) -> None:
        with self._guard:
            waiting, self._waiting = self._waiting, None
        if waiting is not None:
            stored.write_file(*waiting)

    def after_fork(self) -> None:
        """In a forked child: the timer stayed with the parent."""
        self._guard, self._waiting = threading.Lock(), None


keeper = Keeper()
os.register_at_fork(after_in_child=keeper.after_fork)
holder = Holder()
os.register_at_fork(after_in_child=holder.after_fork)
