"""Counters and histograms for Prometheus.

Several worker processes share their values through files where PROMETHEUS_MULTIPROC_DIR names a folder (the
client library reads the variable when it is imported); without it each process answers for itself.
"""

import os
import re

from prometheus_client import REGISTRY as OWN
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = CONTENT_TYPE_LATEST

REQUESTS = Counter(
    "steward_http_requests_total",
    "Requests answered, by route family, method and status.",
    ["family", "method", "status"],
)
REQUEST_SECONDS = Histogram(
    "steward_http_request_seconds",
    "Seconds until the answer was ready, by route family and method.",
    ["family", "method"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
JOBS = Counter("steward_jobs_total", "Attempts of jobs, by job and how they ended.", ["name", "outcome"])
OUTBOUND = Counter(
    "steward_outbound_requests_total", "Requests to others, by service and result.", ["service", "result"]
)

LEGACY = Counter("steward_legacy_requests_total", "Requests to former addresses, by who called.", ["caller"])

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def family_of(route: str | None) -> str:
    """`platform/api/v1/users/<id>/suspend` -> `platform/api/v1/users`: what stands before the first parameter."""
    if route is None:
        return "unmatched"
    static = re.split(r"[<(\[\\]", route.lstrip("^"), maxsplit=1)[0]
    return "/".join(static.strip("/$").split("/")[:5]) or "root"


def observe_request(*, route: str | None, method: str, status: int, seconds: float) -> None:
    """Counts one answer. A method that nobody knows counts as OTHER: a caller must not invent time series."""
    family, method = family_of(route), method if method in _METHODS else "OTHER"
    REQUESTS.labels(family, method, str(status)).inc()
    REQUEST_SECONDS.labels(family, method).observe(seconds)


class Bounded:
    """Names for a label, the first ones as they are, all further ones as "other": who calls must not be able to make
    time series without end."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._known: set[str] = set()

    def name(self, value: str) -> str:
        if value not in self._known:
            if len(self._known) >= self._most:
                return "other"
            self._known.add(value)
        return value


class Meter:
    """As `observe_request`, for one kind of answer that is given thousands of times a second."""

    def __init__(self, family: str, method: str, status: int) -> None:
        self._requests = REQUESTS.labels(family, method, str(status))
        self._seconds = REQUEST_SECONDS.labels(family, method)

    def observe(self, seconds: float) -> None:
        self._requests.inc()
        self._seconds.observe(seconds)


def render() -> bytes:
    """All values in Prometheus' text format, of every worker process where they share a folder."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(OWN)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library leaves it untyped
    return generate_latest(registry)
