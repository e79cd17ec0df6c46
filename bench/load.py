"""A small load generator: keep-alive connections, a bounded count of requests, loopback only."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it goes over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""

    def encode(self, host: str) -> bytes:
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {host}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.body or self.method not in {"GET", "HEAD"}:
            lines += ["Content-Type: application/json", f"Content-Length: {len(self.body)}"]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


@dataclass(frozen=True, slots=True)
class Result:
    """Latencies in milliseconds, sorted; `seconds` of wall time for all of them."""

    latencies: list[float]
    statuses: dict[int, int]
    seconds: float

    def percentile(self, share: float) -> float:
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * share))]

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds


async def answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
        elif name.lower() == b"transfer-encoding":
            raise ValueError("chunked answers are not measured")
    if length:
        await reader.readexactly(length)
    return status


def run(url: str, call: Callable[[int], Call], *, requests: int, connections: int) -> Result:
    """Sends `requests` requests over `connections` connections, each as soon as the one before was answered.

    Raises:
        ValueError: the address is not on this machine.
    """
    parts = urlsplit(url)
    if parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise ValueError("load goes to this machine only")
    return asyncio.run(_run(parts.hostname, parts.port or 80, call, requests, connections))


async def _run(host: str, port: int, call: Callable[[int], Call], requests: int, connections: int) -> Result:
    latencies: list[float] = []
    statuses: dict[int, int] = {}
    numbers = iter(range(requests))

    async def client() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        for number in numbers:
            data = call(number).encode(f"{host}:{port}")
            started = time.perf_counter()
            writer.write(data)
            status = await answer(reader)
            latencies.append((time.perf_counter() - started) * 1000)
            statuses[status] = statuses.get(status, 0) + 1
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(connections)))
    return Result(sorted(latencies), statuses, time.perf_counter() - started)
