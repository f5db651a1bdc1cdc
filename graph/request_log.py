"""One line per request: written on every request, so without the processors of other lines.

Nothing here needs redaction: a line is made only of what this module puts there, and of the client's
own words only the method and the route, when they are known ones.
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graph.health import Metrics
from graph.observation import Observation, begin_observation

_LOGGER: Final = "fieldward.requests"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestLines:
    """Writes request lines: JSON for machines, or key=value for people; to standard output unless told."""

    def __init__(self, stream: TextIO | None = None, *, readable: bool = False) -> None:
        self._stream = stream
        self._render = _readable if readable else _json
        self._lines: list[str] = []
        self._writing: asyncio.AbstractEventLoop | None = None

    def write(self, fields: dict[str, Any]) -> None:
        """One line. Requests that end in the same turn of the event loop are written together, at its end:
        no line waits longer, since one that waits in a buffer is lost with its process."""
        self._lines.append(self._render(datetime.now(UTC).isoformat(), fields))
        loop = asyncio.get_running_loop()
        if self._writing is not loop:
            self._writing = loop
            loop.call_soon(self._flush)

    def _flush(self) -> None:
        lines, self._lines, self._writing = self._lines, [], None
        stream = self._stream or sys.stdout
        stream.write("".join(lines))
        stream.flush()


def _json(moment: str, fields: dict[str, Any]) -> str:
    line = {"event": "request", "logger": _LOGGER, "level": "info", "timestamp": moment, **fields}
    return f"{orjson.dumps(line).decode()}\n"


def _readable(moment: str, fields: dict[str, Any]) -> str:
    known = " ".join(f"{key}={value}" for key, value in fields.items() if value)
    return f"{moment} [info     ] request  {known}\n"


class RequestLog:
    """ASGI middleware: one line per request, and its figures to the metrics.

    `routes` are the addresses that may be named; a client can put anything into others.
    """

    def __init__(
        self, app: ASGIApp, routes: frozenset[str], lines: RequestLines, metrics: Metrics | None = None
    ) -> None:
        self._app, self._routes, self._metrics = app, routes, metrics
        self._lines = lines

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
        self._lines.write(
            {
                "method": scope["method"] if scope["method"] in _METHODS else "other",
                "route": route,
                "status": status,
                "duration_ms": round(seconds * 1000, 2),
                "principal_kind": observation.principal_kind,
                "principal": observation.principal,
                "document": observation.document,
                "codes": observation.codes,
            }
        )
