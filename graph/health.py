"""For those who run it: is it alive, is it ready, how is it doing.

With several workers, `/metrics` answers for the worker that took the request: every figure carries
its `worker` (process id), so that a scraper keeps them apart.
"""

from __future__ import annotations

import asyncio
import os
from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from time import time
from typing import Final, Protocol

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from models.errors import FieldwardError

PING_SECONDS: Final = 2.0
ROUTES: Final = frozenset({"/health/live", "/health/ready", "/metrics"})
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_NO_STORE: Final = {"cache-control": "no-store"}


class Pings(Protocol):
    """What readiness needs of the database."""

    async def ping(self) -> bool: ...


class Answers(Protocol):
    """What readiness needs of the keys: whether key store and provider answered when they were last asked."""

    @property
    def answers(self) -> bool: ...


class Metrics:
    """The figures of one process. Names of routes and codes only, never a value.

    `sizes` gives the number of entries of each cache by its name, read when scraped.
    """

    def __init__(self, sizes: Mapping[str, Callable[[], int]] | None = None) -> None:
        self._registry = CollectorRegistry()
        self._worker = str(os.getpid())
        self._requests = _Requests(self._worker)
        self._registry.register(self._requests)
        self._errors = Counter(
            "fieldward_errors", "Errors in answers, by code.", ("worker", "code"), registry=self._registry
        )
        self._mails = Counter(
            "fieldward_mails", "Mails sent, failed, dropped.", ("worker", "outcome"), registry=self._registry
        )
        entries = Gauge("fieldward_cache_entries", "Entries held.", ("worker", "cache"), registry=self._registry)
        for name, size in (sizes or {}).items():
            entries.labels(self._worker, name).set_function(size)

    def observe(self, route: str, status: int, seconds: float, codes: Sequence[str]) -> None:
        """Count one answered request; `seconds` is how long it took."""
        self._requests.add(route, status, seconds)
        for code in codes:
            self._errors.labels(self._worker, code).inc()

    def mail(self, outcome: str) -> None:
        """Count a mail: `sent`, `failed` or `dropped`."""
        self._mails.labels(self._worker, outcome).inc()

    def text(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self._registry)


class _Requests(Collector):
    """Requests answered, and how long they took: plain numbers, since a `Counter` takes a lock for each change. Only
    the event loop comes here, to count and to read."""

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._count: Tally[tuple[str, int]] = Tally()
        self._buckets: dict[str, list[int]] = {}  # those of `_BUCKETS`, and what took longer
        self._seconds: dict[str, float] = {}
        self._since: dict[tuple[str, int] | str, float] = {}

    def add(self, route: str, status: int, seconds: float) -> None:
        """Count one."""
        if (route, status) not in self._count:
            self._since[route, status] = time()
        self._count[route, status] += 1
        buckets = self._buckets.get(route)
        if buckets is None:
            buckets = self._buckets[route] = [0] * (len(_BUCKETS) + 1)
            self._seconds[route], self._since[route] = 0.0, time()
        self._seconds[route] += seconds
        buckets[bisect_left(_BUCKETS, seconds)] += 1

    def collect(self) -> Iterator[Metric]:
        """For the Prometheus client."""
        requests = CounterMetricFamily("fieldward_requests", "Requests answered.", None, ("worker", "route", "status"))
        for (route, status), count in self._count.items():
            requests.add_metric((self._worker, route, str(status)), count, created=self._since[route, status])
        yield requests
        times = HistogramMetricFamily(
            "fieldward_request_seconds", "Time to answer a request.", labels=("worker", "route")
        )
        bounds = [*(str(bound) for bound in _BUCKETS), "+Inf"]
        for route, buckets in self._buckets.items():
            rows = list(zip(bounds, accumulate(buckets), strict=True))
            times.add_metric((self._worker, route), rows, self._seconds[route])
            labels = {"worker": self._worker, "route": route}
            times.add_sample(f"{times.name}_created", labels, self._since[route])
        yield times


def health_routes(database: Pings, keys: Answers, metrics: Metrics) -> list[BaseRoute]:
    """`/health/live`, `/health/ready` (503 without the database, or keys for it) and `/metrics`."""

    async def live(_request: Request) -> Response:
        return JSONResponse({"status": "alive"}, headers=_NO_STORE)

    async def ready(_request: Request) -> Response:
        parts = {"database": await _answers(database), "keys": keys.answers}
        said = {name: "available" if there else "unavailable" for name, there in parts.items()}
        if all(parts.values()):
            return JSONResponse({"status": "ready", **said}, headers=_NO_STORE)
        return JSONResponse({"status": "not ready", **said}, 503, headers=_NO_STORE)

    async def figures(_request: Request) -> Response:
        return Response(metrics.text(), headers={**_NO_STORE, "content-type": CONTENT_TYPE_LATEST})

    return [
        Route("/health/live", live, methods=["GET"]),
        Route("/health/ready", ready, methods=["GET"]),
        Route("/metrics", figures, methods=["GET"]),
    ]


async def _answers(database: Pings) -> bool:
    try:
        async with asyncio.timeout(PING_SECONDS):
            return await database.ping()
    except (TimeoutError, FieldwardError):
        return False
