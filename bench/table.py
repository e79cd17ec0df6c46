"""The table: a row a route."""

import argparse
import json
from pathlib import Path

from apps.embedded.state import default_root
from bench import load
from bench.routes import Route, data_size, routes
from bench.server import Server, serving

# Rounds of a route: the best of them is shown, since whatever else the machine does only makes a round worse.
_ROUNDS = 3
Medians = dict[str, float]


def main() -> int:
    """Measures and prints. Exit status 1 where an answer was not a success."""
    options = argparse.ArgumentParser(
        prog="python -m bench", description="What a request costs, route by route."
    )
    options.add_argument("--requests", type=int, default=1500)
    options.add_argument("--connections", type=int, default=8)
    options.add_argument("--only", default="", help="routes whose name contains this")
    options.add_argument("--size", default="", help="keep the medians under this name: small, large")
    chosen = options.parse_args()

    print(f"data: {data_size()}; {chosen.requests} requests over {chosen.connections} connections a route")
    print(f"{'route':<58} {'req/s':>7} {'median':>8} {'p95':>8} {'p99':>8} {'CPU ms':>7} {'queries':>7}")
    medians: Medians = {}
    failed = False
    with serving() as server:
        for route in routes():
            if chosen.only in route.name:
                best, is_good = measure(server, route, chosen.requests, chosen.connections)
                medians[route.name] = best
                failed |= not is_good
        print(f"server: {server.memory_mb():.0f} MB (PSS)")
    if chosen.size:
        _keep(chosen.size, medians)
        _compare()
    return 1 if failed else 0


def measure(server: Server, route: Route, requests: int, connections: int) -> tuple[float, bool]:
    """Prints the best of a few rounds; its median, and whether every answer was a success."""
    load.run(server.url, route.call, requests=max(50, requests // 10), connections=connections)
    rounds = []
    for _ in range(_ROUNDS):
        before = server.cpu_seconds()
        result = load.run(server.url, route.call, requests=requests // _ROUNDS, connections=connections)
        rounds.append((result, (server.cpu_seconds() - before) * 1000 / (requests // _ROUNDS)))
    best, cpu = max(rounds, key=lambda each: each[0].rate)
    print(
        f"{route.name:<58} {best.rate:>7.0f} {best.percentile(0.5):>8.2f} {best.percentile(0.95):>8.2f} "
        f"{best.percentile(0.99):>8.2f} {cpu:>7.2f} {route.queries:>7}"
    )
    wrong: dict[int, int] = {}
    for result, _ in rounds:
        for status, count in result.statuses.items():
            if status >= 300:
                wrong[status] = wrong.get(status, 0) + count
    if wrong:
        print(f"  answers that were no success: {wrong}")
    return best.percentile(0.5), not wrong


def _file(size: str) -> Path:
    return default_root() / f"bench-{size}.json"


def _keep(size: str, medians: Medians) -> None:
    known = json.loads(_file(size).read_text()) if _file(size).exists() else {}
    _file(size).write_text(json.dumps({**known, **medians}))


def _compare() -> None:
    """How many times the median on small data the one on large data is, where both were measured."""
    if not (_file("small").exists() and _file("large").exists()):
        print(
            "Run it with SIZE=small on demo data and with SIZE=large on those of `make seed SIZE=large` to compare."
        )
        return
    small, large = (json.loads(_file(size).read_text()) for size in ("small", "large"))
    print(f"{'median, ms':<58} {'small':>8} {'large':>8} {'ratio':>7}")
    for name in [name for name in small if name in large]:
        print(f"{name:<58} {small[name]:>8.2f} {large[name]:>8.2f} {large[name] / small[name]:>7.2f}")
