"""Clients that behave: they write with an Idempotency-Key, read, and try again until they are answered."""

import http.client
import itertools
import json
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from secrets import SystemRandom
from typing import Any

TENANTS = "/api/v1/platform/admin/tenants"
# A client that hears nothing gives up; the tests call that a hang.
PATIENCE_SECONDS = 60
_ONE_IN = 8
CHANCE = SystemRandom()


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; status 0 where the connection broke before there was one."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


def ask(port: int, token: str, method: str, path: str, body: Any = None, key: str | None = None) -> Reply:
    """One request on a connection of its own."""
    headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    if key is not None:
        headers["Idempotency-Key"] = key
    began = time.monotonic()
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        link.request(method, path, json.dumps(body) if body is not None else None, headers)
        found = link.getresponse()
        content = found.read()
        told = {name.lower(): value for name, value in found.getheaders()}
        return Reply(found.status, told, content, time.monotonic() - began)
    except (OSError, http.client.HTTPException):
        return Reply(0, {}, b"", time.monotonic() - began)
    finally:
        link.close()


def create(port: int, token: str, key: str) -> Reply:
    """A test tenant that bears its key as its name."""
    body = {"company_name": key, "owner_email": f"{key}@example.com", "plan": "free"}
    return ask(port, token, "POST", f"{TENANTS}/test", body, key)


def is_documented(reply: Reply) -> bool:
    """A success, a request in progress, or a 503 in the surface's own shape that says when to come back."""
    if reply.ok:
        return True
    if reply.headers.get("content-type") != "application/json" or "retry-after" not in reply.headers:
        return False
    error = json.loads(reply.body)["error"]
    if reply.status == 409:
        return "still being served" in error["message"]
    return reply.status == 503 and error["code"] == "UPSTREAM_UNAVAILABLE"


@dataclass
class Load:
    """Writers and a reader against one web, until it is stopped; every answer is judged and remembered.

    Attributes:
        acknowledged: what a client was told that it made, by key.
        begun: every key that was ever sent.
        odd: answers that no document knows; status 0 only counts where the web itself is not killed.
        forsaken: keys whose client heard no success in all its time.
        successes: moments of successes, by time.monotonic().
    """

    port: int
    token: str
    web_dies: bool
    threads: int = 4
    backlog: int = 40
    acknowledged: dict[str, str] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    odd: list[Reply] = field(default_factory=list)
    forsaken: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    successes: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._pause = threading.Event()
        self._guard = threading.Lock()
        self._running: list[threading.Thread] = []

    def start(self) -> "Load":
        for target in [self._write] * self.threads + [self._read]:
            thread = threading.Thread(target=target, daemon=True)
            thread.start()
            self._running.append(thread)
        return self

    def pause(self, paused: bool) -> None:
        """Jobs are slower than writers: a full backlog holds them up."""
        (self._pause.set if paused else self._pause.clear)()

    def stop(self) -> None:
        """Lets every client end what it began.

        Raises:
            AssertionError: one of them was not answered, or never with success.
        """
        self._stop.set()
        for thread in self._running:
            thread.join(timeout=3 * PATIENCE_SECONDS)
            assert not thread.is_alive(), "a client was never answered"
        assert not self.forsaken, f"never answered with success: {self.forsaken}"

    def note(self, reply: Reply) -> None:
        with self._guard:
            self.statuses[reply.status] += 1
            self.slowest = max(self.slowest, reply.seconds)
            if reply.ok:
                self.successes.append(time.monotonic())
            elif not (is_documented(reply) or (reply.status == 0 and self.web_dies)):
                self.odd.append(reply)

    def first_success_after(self, moment: float) -> float | None:
        """Seconds from a moment to the first answer of success."""
        with self._guard:
            later = [at for at in self.successes[-200:] if at > moment]
        return min(later) - moment if later else None

    def _write(self) -> None:
        for number in itertools.count(1):
            while self._pause.is_set() and not self._stop.is_set():
                time.sleep(0.05)
            if self._stop.is_set():
                return
            key = uuid.uuid4().hex
            with self._guard:
                self.begun.add(key)
            # One in eight never asks again: its effect is there once or not at all.
            self._until_answered(key, gives_up=number % _ONE_IN == 0)

    def _until_answered(self, key: str, *, gives_up: bool) -> None:
        deadline = time.monotonic() + 2 * PATIENCE_SECONDS
        while time.monotonic() < deadline:
            reply = create(self.port, self.token, key)
            self.note(reply)
            if reply.ok:
                told = json.loads(reply.body)["data"]["tenant_id"]
                with self._guard:
                    self.acknowledged[key] = told
                return
            if gives_up:
                return
            time.sleep(0.1 + CHANCE.random() / 5)
        with self._guard:
            self.forsaken.append(key)

    def _read(self) -> None:
        while not self._stop.is_set():
            self.note(ask(self.port, self.token, "GET", f"{TENANTS}?limit=10"))
            time.sleep(0.1)
