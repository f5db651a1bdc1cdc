"""One line per request: written on every request, so without the processors of other lines.

Nothing here needs redaction: a line is made only of what this module puts there, and of the client's
own words only the method and the route, when they are known ones.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graph.health import Metrics
from graph.observation import Observation, begin_observation

LOGGER: Final = "fieldward.requests"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class _JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """One JSON object; the message is a dict."""
        return orjson.dumps({**_head(record), **_fields(record)}).decode()


class _ReadableLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """For people: what is known, as key=value."""
        known = " ".join(f"{key}={value}" for key, value in _fields(record).items() if value)
        return f"{_moment(record)} [info     ] request  {known}"


def _head(record: logging.LogRecord) -> dict[str, str]:
    return {"event": "request", "logger": LOGGER, "level": "info", "timestamp": _moment(record)}


def _moment(record: logging.LogRecord) -> str:
    return f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return record.msg if isinstance(record.msg, dict) else {}


def take_request_lines(*, development: bool, stream: TextIO) -> None:
    """Send request lines to `stream`; called once, by `graph.logs.configure`."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_ReadableLine() if development else _JsonLine())
    logger = logging.getLogger(LOGGER)
    logger.handlers[:] = [handler]
    logger.propagate = False


class RequestLog:
    """ASGI middleware: one line per request, and its figures to the metrics.

    `routes` are the addresses that may be named; a client can put anything into others.
    """

    def __init__(self, app: ASGIApp, routes: frozenset[str], metrics: Metrics | None = None) -> None:
        self._app, self._routes, self._metrics = app, routes, metrics
        self._log = logging.getLogger(LOGGER)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and report it when it is answered, or has failed."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        observation = begin_observation(scope)
        began = time.perf_counter()

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            self._report(scope, status, time.perf_counter() - began, observation)

    def _report(self, scope: Scope, status: int, seconds: float, observation: Observation) -> None:
        route = scope["path"] if scope["path"] in self._routes else "other"
        if self._metrics is not None:
            self._metrics.observe(route, status, seconds, observation.codes)
        if self._log.isEnabledFor(logging.INFO):
            self._log.info(
                {
                    "method": scope["method"] if scope["method"] in _METHODS else "other",
                    "route": route,
                    "status": status,
                    "duration_ms": round(seconds * 1000, 2),
                    "principal_kind": observation.principal_kind,
                    "principal_id": observation.principal_id,
                    "document": observation.document,
                    "codes": observation.codes,
                }
            )
