"""Two load generators, loopback only: one that keeps a pace, and wrk for as much as goes.

wrk is Debian's; without it the saturated figures come from Python, which needs several times the processor for a
request and so shows less of the server.
"""

import asyncio
import itertools
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from bench import load
from bench.load import Call, Result

_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_COUNT = re.compile(r"(\d+) requests in")
_WRONG = re.compile(r"Non-2xx or 3xx responses: (\d+)")


def paced(
    url: str, call: Callable[[int], Call], *, rate: float, seconds: float, connections: int = 16
) -> Result:
    """`rate` requests a second, each sent at its time whether the ones before are answered or not.

    Latencies count from the time at which a request was due, so that a stall is not left out.
    """
    return asyncio.run(_paced(url, call, rate, int(rate * seconds), connections))


async def _paced(
    url: str, call: Callable[[int], Call], rate: float, requests: int, connections: int
) -> Result:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    latencies: list[float] = []
    statuses: dict[int, int] = {}
    data = [call(number).encode(f"{host}:{port}") for number in range(min(requests, 4_000))]
    began = time.perf_counter() + 0.1
    numbers = itertools.count()

    async def client() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        while (number := next(numbers)) < requests:
            due = began + number / rate
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            writer.write(data[number % len(data)])
            status = await load.answer(reader)
            latencies.append((time.perf_counter() - due) * 1000)
            statuses[status] = statuses.get(status, 0) + 1
        writer.close()

    await asyncio.gather(*(client() for _ in range(connections)))
    return Result(sorted(latencies), statuses, time.perf_counter() - began)


def saturated(
    url: str, calls: Sequence[Call], *, seconds: int, connections: int = 16
) -> tuple[float, int, int]:
    """As many as are answered: requests a second, their number, and how many of them were no success."""
    program = shutil.which("wrk")
    if program is None:
        found = load.run(
            url, lambda number: calls[number % len(calls)], requests=20_000, connections=connections
        )
        wrong = sum(count for status, count in found.statuses.items() if status >= 400)
        return found.rate, len(found.latencies), wrong
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "calls.lua"
        script.write_text(_script(calls))
        done = subprocess.run(  # noqa: S603  the generator
            [program, "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), url],
            capture_output=True, text=True, check=True, timeout=seconds + 30,
        ).stdout  # fmt: skip
    rate, count, wrong_line = _RATE.search(done), _COUNT.search(done), _WRONG.search(done)
    if rate is None or count is None:
        raise RuntimeError(f"wrk said: {done}")
    return float(rate[1]), int(count[1]), int(wrong_line[1]) if wrong_line else 0


def fetched(url: str, call: Call) -> httpx.Response:
    """One answer, whole."""
    return httpx.request(
        call.method, f"{url}{call.path}", headers=call.headers, content=call.body, timeout=30
    )


def _script(calls: Sequence[Call]) -> str:
    """Every call in turn, written out beforehand: the generator shares the server's processors."""
    made = ",\n".join(
        "wrk.format({}, {}, {{{}}}, {})".format(
            json.dumps(each.method),
            json.dumps(each.path),
            ", ".join(f"[{json.dumps(name)}] = {json.dumps(value)}" for name, value in each.headers.items()),
            json.dumps(each.body.decode()) if each.body else "nil",
        )
        for each in calls
    )
    return (
        f"local requests\nfunction init()\nrequests = {{\n{made}\n}}\nend\n"
        "local number = 0\nfunction request()\nnumber = number % #requests + 1\nreturn requests[number]\nend\n"
    )
