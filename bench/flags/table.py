"""The tables of `make bench-flags`."""

import json
import time
from collections.abc import Callable, Sequence
from urllib.parse import quote, urlencode

from apps.embedded.stack import STREAM_THREADS
from apps.identity.services.tokens import issue_token
from bench.flags import generators, spreading, unleash, world
from bench.flags.engines import Engines
from bench.load import Call, Result
from bench.server import Server, serving

PACE, SECONDS = 1_000, 8
_HEAD = f"{'':<44} {'req/s':>8} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'CPU µs':>8}"


def main(engines: Engines) -> int:
    """Measures and prints. Exit status 1 where an answer was not a success."""
    tenants = world.make()
    token = issue_token(actor=world.ACTOR, subject="bench", scopes=["SERVICE"]).text
    limits = {"RATE_LIMIT_SERVICE_INTERNAL": "100000000", "RATE_LIMIT_OFREP": "100000000"}
    wrong = 0
    with (
        serving(environment=limits) as web,
        serving(workers=1, threads=STREAM_THREADS, environment=limits | {"FLAG_STREAMS": "100"}) as stream,
    ):
        print(f"{world.FLAGS} flags, {world.TENANTS} tenants; {PACE} requests/s, then as many as go\n{_HEAD}")
        wrong += _steward(web, tenants, token)
        with unleash.serving(engines.database, engines.home.file("unleash.log")) as other:
            wrong += _unleash(other, tenants)
        _spread(web, stream, engines, tenants)
        print(f"memory of web (two workers, PSS): {web.memory_mb():.0f} MB")
        wrong += _alone(web, engines, tenants, token)
    return 1 if wrong else 0


def _steward(web: Server, tenants: Sequence[dict[str, str]], token: str) -> int:
    bearer = {"Authorization": f"Bearer {token}"}
    inside = {"X-Service-Id": "bench"}
    ids = [each["tenantId"] for each in tenants]

    def evaluate(number: int) -> Call:
        key = world.key_of(number % world.FLAGS)
        return Call(
            "GET", f"/internal/admin/flags/{key}/evaluate?tenantId={ids[number * 7 % len(ids)]}", inside
        )

    def bootstrap(number: int) -> Call:
        return Call("GET", f"/internal/admin/flags/bootstrap?tenantId={ids[number % len(ids)]}", inside)

    def single(number: int) -> Call:
        body = json.dumps({"context": {"tenantId": ids[number * 7 % len(ids)], "targetingKey": f"u{number}"}})
        path = f"/ofrep/v1/evaluate/flags/{world.key_of(number % world.FLAGS)}"
        return Call("POST", path, {**bearer, "Content-Type": "application/json"}, body.encode())

    def bulk(number: int) -> Call:
        body = json.dumps({"context": {"tenantId": ids[number % len(ids)], "targetingKey": f"u{number}"}})
        return Call(
            "POST", "/ofrep/v1/evaluate/flags", {**bearer, "Content-Type": "application/json"}, body.encode()
        )

    tags = _tags(web, [bootstrap(number) for number in range(50)])

    def unchanged(number: int) -> Call:
        call = bootstrap(number % len(tags))
        return Call(call.method, call.path, {**inside, "If-None-Match": tags[number % len(tags)]})

    wrong = _rows(web, "Steward: one flag", evaluate)
    wrong += _rows(web, "Steward: one flag by token (OFREP)", single)
    wrong += _rows(web, "Steward: all flags (bootstrap)", bootstrap)
    wrong += _rows(web, "Steward: all flags, unchanged (304)", unchanged)
    return wrong + _rows(web, "Steward: all flags in a new context (OFREP)", bulk, pace=200)


def _unleash(other: Server, tenants: Sequence[dict[str, str]]) -> int:
    def frontend(number: int) -> Call:
        known = tenants[number % len(tenants)]
        context = {"userId": known["tenantId"]} | {
            f"properties[{name}]": known[name] for name in ("plan", "country")
        }
        return Call(
            "GET", f"/api/frontend?{urlencode(context, quote_via=quote)}", {"Authorization": unleash.FRONTEND}
        )

    client = {"Authorization": unleash.CLIENT}
    (tag,) = _tags(other, [Call("GET", "/api/client/features", client)])

    def unchanged(number: int) -> Call:
        del number
        return Call("GET", "/api/client/features", {**client, "If-None-Match": tag})

    wrong = _rows(other, "Unleash: all flags in a context (frontend)", frontend, pace=200)
    return wrong + _rows(other, "Unleash: definitions, unchanged (304)", unchanged, pace=200)


def _rows(server: Server, name: str, call: Callable[[int], Call], *, pace: int = PACE) -> int:
    """Prints two rows; answers how many answers were no success."""
    generators.paced(server.url, call, rate=pace, seconds=1)
    before = server.cpu_seconds()
    steady = generators.paced(server.url, call, rate=pace, seconds=SECONDS)
    _row(f"{name}, {pace}/s", steady, steady.rate, (server.cpu_seconds() - before) / len(steady.latencies))
    calls = [call(number) for number in range(2_000)]
    before = server.cpu_seconds()
    rate, count, failed = generators.saturated(server.url, calls, seconds=5)
    _row(f"{name}, saturated", None, rate, (server.cpu_seconds() - before) / count)
    wrong = failed + sum(found for status, found in steady.statuses.items() if status >= 400)
    if wrong:
        print(f"  answers that were no success: {failed} saturated, {steady.statuses}")
    return wrong


def _row(name: str, result: Result | None, rate: float, cpu: float) -> None:
    shares = [f"{result.percentile(share):>8.2f}" if result else f"{'':>8}" for share in (0.5, 0.95, 0.99)]
    print(f"{name:<44} {rate:>8.0f} {' '.join(shares)} {cpu * 1e6:>8.0f}", flush=True)


def _tags(server: Server, calls: Sequence[Call]) -> list[str]:
    return [generators.fetched(server.url, call).headers["ETag"] for call in calls]


def _spread(web: Server, stream: Server, engines: Engines, tenants: Sequence[dict[str, str]]) -> None:
    found = spreading.measure(web, stream, engines.owner_url, tenants[0]["tenantId"])
    print(f"\n{'from commit to':<44} {'p50 ms':>8} {'p95 ms':>8} {'max ms':>8}")
    for name, times in (
        ("every worker", found.workers),
        ("a client of the stream", found.stream),
        ("every worker, the announcement lost", found.silent),
    ):
        times.sort()
        p50, p95 = times[len(times) // 2], times[int(len(times) * 0.95)]
        print(f"{name:<44} {p50:>8.1f} {p95:>8.1f} {times[-1]:>8.1f}")


def _alone(web: Server, engines: Engines, tenants: Sequence[dict[str, str]], token: str) -> int:
    """PostgreSQL and Valkey stopped: what is still answered."""
    engines.stop()
    time.sleep(3)
    ids = [each["tenantId"] for each in tenants]

    def call(number: int) -> Call:
        key, tenant = world.key_of(number % world.FLAGS), ids[number * 7 % len(ids)]
        if number % 3 == 0:
            body = json.dumps({"context": {"tenantId": tenant}}).encode()
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            return Call("POST", f"/ofrep/v1/evaluate/flags/{key}", headers, body)
        if number % 3 == 1:
            return Call("GET", f"/internal/admin/flags/bootstrap?tenantId={tenant}", {})
        return Call("GET", f"/internal/admin/flags/{key}/evaluate?tenantId={tenant}", {})

    found = generators.paced(web.url, call, rate=500, seconds=10)
    good = found.statuses.get(200, 0)
    print(
        f"\nPostgreSQL and Valkey stopped: {good} of {len(found.latencies)} answered, "
        f"p95 {found.percentile(0.95):.2f} ms, p99 {found.percentile(0.99):.2f} ms"
    )
    return len(found.latencies) - good
