"""A link between a process and an engine that can be slow, silent or cut: a TCP proxy on a port of 127.0.0.1."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

_CHUNK = 16_384


class State(StrEnum):
    WHOLE = "whole"
    REFUSING = "refusing"  # connections are cut as soon as they are made, and those that stand
    SILENT = "silent"  # a black hole: connections are taken, and not a byte goes either way
    DEAF = "deaf"  # half-open: what the client says arrives, the answers do not


@dataclass
class Quality:
    """Of a slow link: seconds that each chunk waits, and bytes a second (0: no bound)."""

    latency: float = 0.0
    bandwidth: int = 0


class Link:
    """Threads that copy bytes between a client and `port`. One can be cut in mid-statement.

    Attributes:
        port: where clients connect.
        cuts: how many connections `cut_once` has cut.
    """

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.state = State.WHOLE
        self.quality = Quality()
        self.cuts = 0
        self._cut_on: Callable[[bytes, bytes], bool] | None = None
        self._cut_before = True
        self._guard = threading.Lock()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._unheard: set[tuple[socket.socket, socket.socket]] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def break_now(self, state: State) -> None:
        """Changes what the link does. REFUSING cuts what stands."""
        self.state = state
        if state is State.REFUSING:
            self.cut_all()

    def mend(self) -> None:
        """A whole link again. What was silent is cut: its bytes are lost, and both ends must know."""
        self.quality = Quality()
        self._cut_on = None
        if self.state is not State.WHOLE:
            self.cut_all()
        self.state = State.WHOLE

    def cut_once(self, when: Callable[[bytes, bytes], bool], *, before: bool) -> None:
        """Cuts the next connection on which a client sends something.

        Args:
            when: true for a chunk that is meant; it is given all before it in the same transaction too.
            before: the engine never hears of it; otherwise it does, and its answer is lost.
        """
        with self._guard:
            self._cut_on, self._cut_before = when, before

    def cut_all(self) -> None:
        with self._guard:
            pairs = tuple(self._pairs)
        for pair in pairs:
            for end in pair:
                _cut(end)

    def close(self) -> None:
        self._server.close()
        self.cut_all()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        if self.state is State.REFUSING:
            _cut(client)
            return
        try:
            engine = socket.create_connection(("127.0.0.1", self._to_port), timeout=5)
        except OSError:
            _cut(client)
            return
        engine.settimeout(None)
        pair = (client, engine)
        with self._guard:
            self._pairs.add(pair)
        back = threading.Thread(target=self._copy, args=(engine, client, pair, False), daemon=True)
        back.start()
        self._copy(client, engine, pair, True)
        back.join()
        with self._guard:
            self._pairs.discard(pair)
            self._unheard.discard(pair)
        for end in pair:
            end.close()

    def _copy(
        self,
        source: socket.socket,
        target: socket.socket,
        pair: tuple[socket.socket, socket.socket],
        outward: bool,
    ) -> None:
        said = b""
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                self._wait(len(data))
                if self._swallows(outward) or (not outward and pair in self._unheard):
                    continue
                if outward and self._is_to_be_cut(data, said):
                    if not self._cut_before:
                        self._unheard.add(pair)
                        target.sendall(data)
                        time.sleep(0.3)  # the engine does what it was told
                    break
                said = b"" if b"COMMIT" in data else said + data
                target.sendall(data)
        for end in pair:
            _cut(end)

    def _swallows(self, outward: bool) -> bool:
        return self.state is State.SILENT or (self.state is State.DEAF and not outward)

    def _is_to_be_cut(self, data: bytes, said: bytes) -> bool:
        with self._guard:
            if self._cut_on is None or not self._cut_on(data, said):
                return False
            self._cut_on = None
            self.cuts += 1
            return True

    def _wait(self, size: int) -> None:
        quality = self.quality
        pause = quality.latency + (size / quality.bandwidth if quality.bandwidth else 0)
        if pause:
            time.sleep(pause)


def _cut(end: socket.socket) -> None:
    """Both directions end at once, whatever was still under way."""
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def linked(to_port: int) -> Iterator[Link]:
    """A link while it is needed."""
    link = Link(to_port)
    try:
        yield link
    finally:
        link.close()
