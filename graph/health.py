"""For those who run it: is it alive, is it ready, how is it doing.

With several workers, `/metrics` answers for the worker that took the request: every figure carries
its `worker` (process id), so that a scraper keeps them apart.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Final, Protocol

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
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
        self._requests = Counter(
            "fieldward_requests", "Requests answered.", ("worker", "route", "status"), registry=self._registry
        )
        self._errors = Counter(
            "fieldward_errors", "Errors in answers, by code.", ("worker", "code"), registry=self._registry
        )
        self._seconds = Histogram(
            "fieldward_request_seconds",
            "Time to answer a request.",
            ("worker", "route"),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._mails = Counter(
            "fieldward_mails", "Mails sent, failed, dropped.", ("worker", "outcome"), registry=self._registry
        )
        entries = Gauge("fieldward_cache_entries", "Entries held.", ("worker", "cache"), registry=self._registry)
        for name, size in (sizes or {}).items():
            entries.labels(self._worker, name).set_function(size)
        # Finding a child by its labels takes longer than counting; routes and statuses are few.
        self._counted = cache(lambda route, status: self._requests.labels(self._worker, route, str(status)))
        self._timed = cache(lambda route: self._seconds.labels(self._worker, route))

    def observe(self, route: str, status: int, seconds: float, codes: Sequence[str]) -> None:
        """Count one answered request; `seconds` is how long it took."""
        self._counted(route, status).inc()
        self._timed(route).observe(seconds)
        for code in codes:
            self._errors.labels(self._worker, code).inc()

    def mail(self, outcome: str) -> None:
        """Count a mail: `sent`, `failed` or `dropped`."""
        self._mails.labels(self._worker, outcome).inc()

    def text(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self._registry)


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
