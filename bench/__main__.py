"""`python -m bench [--requests N] [--connections N] [--only TEXT]`: a table of routes and what they cost.

Measures the database that the environment names (or the running stack's). Reads and one write; the write
changes a demo tenant and lifts its change again.
"""

import argparse
import os
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import django

from apps.embedded.environment import load_into
from bench import load
from bench.server import RAISED, Server, serving


@dataclass(frozen=True, slots=True)
class Route:
    name: str
    call: Callable[[int], load.Call]
    queries: int


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    options.add_argument("--requests", type=int, default=1500)
    options.add_argument("--connections", type=int, default=8)
    options.add_argument("--only", default="", help="routes whose name contains this")
    chosen = options.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    load_into(os.environ)
    os.environ.update(RAISED)
    django.setup()
    from bench.routes import data_size, routes  # noqa: PLC0415  models exist only after setup

    print(f"data: {data_size()}; {chosen.requests} requests over {chosen.connections} connections a route")
    print(f"{'route':<58} {'req/s':>7} {'median':>8} {'p95':>8} {'p99':>8} {'CPU ms':>7} {'queries':>7}")
    failed = False
    with serving() as server:
        for route in routes():
            if chosen.only in route.name:
                failed |= not measure(server, route, chosen.requests, chosen.connections)
        print(f"server: {server.memory_mb():.0f} MB (PSS)")
    return 1 if failed else 0


def measure(server: Server, route: Route, requests: int, connections: int) -> bool:
    """Prints one row; False where an answer was not a success."""
    load.run(server.url, route.call, requests=max(50, requests // 10), connections=connections)
    before = server.cpu_seconds()
    result = load.run(server.url, route.call, requests=requests, connections=connections)
    cpu = (server.cpu_seconds() - before) * 1000 / requests
    print(
        f"{route.name:<58} {result.rate:>7.0f} {result.percentile(0.5):>8.2f} {result.percentile(0.95):>8.2f} "
        f"{result.percentile(0.99):>8.2f} {cpu:>7.2f} {route.queries:>7}"
    )
    wrong = {status: count for status, count in result.statuses.items() if status >= 300}
    if wrong:
        print(f"  answers that were no success: {wrong}")
    return not wrong


def fresh_key() -> str:
    return uuid.uuid4().hex


if __name__ == "__main__":
    sys.exit(main())
