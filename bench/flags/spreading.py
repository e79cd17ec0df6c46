"""How long a change takes: from its commit to every worker of web, and to a client of the stream."""

import contextlib
import http.client
import json
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
import psycopg

from bench.flags import world
from bench.server import Server

_ROUNDS = 40


@dataclass(slots=True)
class Spread:
    """Milliseconds, a round each."""

    workers: list[float] = field(default_factory=list)
    stream: list[float] = field(default_factory=list)
    silent: list[float] = field(default_factory=list)


class _Worker:
    """A connection that stays with one worker, asked again and again."""

    def __init__(self, server: Server, tenant: str) -> None:
        parts = urlsplit(server.url)
        self._tenant = tenant
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=10)
        self.name = self.ask(world.key_of(0))[1]

    def ask(self, key: str) -> tuple[bool, str]:
        """Whether the flag is on, and who said so: each process has request ids of its own."""
        self._connection.request("GET", f"/internal/admin/flags/{key}/evaluate?tenantId={self._tenant}")
        response = self._connection.getresponse()
        body = json.loads(response.read())
        return body["enabled"], (response.getheader("X-Request-Id") or "").partition("-")[0]

    def until(self, key: str, wanted: bool) -> float | None:
        """When it first answered so; None: not within 10 s."""
        deadline = time.monotonic() + 10
        while self.ask(key)[0] is not wanted:
            if time.monotonic() > deadline:
                return None
            time.sleep(0.002)
        return time.perf_counter()


def measure(web: Server, stream: Server, owner_url: str, tenant: str) -> Spread:
    """Turns flags over, one after another, and looks when each of them is seen."""
    spread = Spread()
    workers = _one_each(web, tenant)
    heard: list[float] = []
    told = threading.Condition()
    threading.Thread(target=_listen, args=(stream, heard, told), daemon=True).start()
    time.sleep(1)
    for number in range(_ROUNDS):
        wanted = not workers[0].ask(world.key_of(number * 4))[0]
        before = len(heard)
        watch = _Watch(workers, world.key_of(number * 4), wanted)
        world.toggle(number)
        committed = time.perf_counter()
        spread.workers.append((watch.last() - committed) * 1000)
        with told:
            while len(heard) == before:
                if not told.wait(timeout=10):
                    raise TimeoutError("the stream told nothing within 10 s")
        spread.stream.append((heard[before] - committed) * 1000)
    for number in range(10):
        wanted = not workers[0].ask(world.key_of(number * 4))[0]
        watch = _Watch(workers, world.key_of(number * 4), wanted)
        with psycopg.connect(owner_url) as link:
            # As a commit whose announcement is lost.
            link.execute(
                "UPDATE flags_flag SET default_enabled = NOT default_enabled WHERE key = %s",
                [world.key_of(number * 4)],
            )
            link.execute("UPDATE core_live_topic SET revision = revision + 1 WHERE name = 'flags'")
        committed = time.perf_counter()
        spread.silent.append((watch.last() - committed) * 1000)
    return spread


def _one_each(web: Server, tenant: str) -> list[_Worker]:
    found: dict[str, _Worker] = {}
    for _ in range(60):
        worker = _Worker(web, tenant)
        found.setdefault(worker.name, worker)
    return list(found.values())


class _Watch:
    """Asks every worker at once until each has seen the change."""

    def __init__(self, workers: list[_Worker], key: str, wanted: bool) -> None:
        self._seen: list[float] = []
        self._threads = [
            threading.Thread(target=self._follow, args=(each, key, wanted), daemon=True) for each in workers
        ]
        for thread in self._threads:
            thread.start()

    def _follow(self, worker: _Worker, key: str, wanted: bool) -> None:
        at = worker.until(key, wanted)
        if at is not None:
            self._seen.append(at)

    def last(self) -> float:
        """When the last worker saw it; waits for that.

        Raises:
            TimeoutError: one of them did not.
        """
        for thread in self._threads:
            thread.join(timeout=15)
        if len(self._seen) < len(self._threads):
            raise TimeoutError("a change did not arrive at every worker within 10 s")
        return max(self._seen)


def _listen(stream: Server, heard: list[float], told: threading.Condition) -> None:
    with (
        contextlib.suppress(httpx.RemoteProtocolError),  # the server ended
        httpx.stream("GET", f"{stream.url}/internal/admin/flags/stream", timeout=60) as response,
    ):
        for line in response.iter_lines():
            if line == "event: change":
                with told:
                    heard.append(time.perf_counter())
                    told.notify_all()
