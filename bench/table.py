"""The table: a row a route."""

import argparse

from bench import load
from bench.routes import Route, data_size, routes
from bench.server import Server, serving


def main() -> int:
    """Measures and prints. Exit status 1 where an answer was not a success."""
    options = argparse.ArgumentParser(
        prog="python -m bench", description="What a request costs, route by route."
    )
    options.add_argument("--requests", type=int, default=1500)
    options.add_argument("--connections", type=int, default=8)
    options.add_argument("--only", default="", help="routes whose name contains this")
    chosen = options.parse_args()

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
