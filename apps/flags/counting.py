"""How often flags are evaluated: counted in memory, written every few seconds.

The counts tell which flags nobody asks for any more; what a process that ends had not written yet is lost.
"""

import threading
import time
from collections.abc import Mapping

import structlog
from django.db import Error, connection

from apps.flags.services.usage import add_counts, note_handed_out

log = structlog.get_logger(__name__)

EVERY_SECONDS = 10.0


class Counts:
    """Evaluations of this process by flag and variation since the last writing."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], int] = {}
        self._all = False
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None

    def note(self, key: str, variation: str) -> None:
        with self._guard:
            place = key, variation
            self._found[place] = self._found.get(place, 0) + 1
            self._begin()

    def note_all(self) -> None:
        """An answer with every flag: nobody tells which of them is used, so none of them counts as forgotten."""
        if not self._all:
            with self._guard:
                self._all = True
                self._begin()

    def take(self) -> Mapping[tuple[str, str], int]:
        """What was counted; it is the caller's to write now."""
        with self._guard:
            found, self._found = self._found, {}
        return found

    def write(self) -> None:
        """Writes what was counted; with the database away it is kept for the next time."""
        found = self.take()
        with self._guard:
            handed_out, self._all = self._all, False
        if not found and not handed_out:
            return
        try:
            if handed_out:
                note_handed_out()
            if found:
                add_counts(found)
        except Error as away:
            log.warning("flag_usage_kept", error=type(away).__name__)
            with self._guard:
                self._all = self._all or handed_out
                for place, number in found.items():
                    self._found[place] = self._found.get(place, 0) + number
        finally:
            connection.close()

    def _begin(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._start()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="flag-usage", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            time.sleep(EVERY_SECONDS)
            self.write()


counts = Counts()
