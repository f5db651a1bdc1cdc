"""Connections that a slow client cannot hold: handshake and headers must arrive in time, and so must what it reads.

uvicorn itself ends idle connections, but one that sends a byte now and then would stay for ever.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final

import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_SECONDS: Final = 10.0
UNREAD_MILLISECONDS: Final = 20_000
_LARGEST_HEADERS: Final = 64 * 1024  # bytes


def bound_unread(listening: socket.socket) -> None:
    """Have the kernel end accepted connections whose client does not read what was sent to it."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux only
    if option is not None:
        listening.setsockopt(socket.IPPROTO_TCP, option, UNREAD_MILLISECONDS)


class PromptLoop(uvloop.Loop):
    """An event loop whose servers wait for the beginning and the end of TLS no longer than for headers.

    uvicorn passes no such times on, and uvloop's own are 60 and 30 seconds, for which a stop waits too.
    """

    async def create_server(self, *given: Any, **options: Any) -> asyncio.AbstractServer:  # type: ignore[override]  # noqa: ANN401 - the loop's own, of many kinds
        if options.get("ssl") is not None:
            options |= {"ssl_handshake_timeout": HEADER_SECONDS, "ssl_shutdown_timeout": HEADER_SECONDS}
        return await super().create_server(*given, **options)


class PromptProtocol(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, with a deadline and a size for the headers of every request."""

    _deadline: asyncio.TimerHandle | None = None
    _received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own type
        super().connection_made(transport)
        self._expect_headers()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._deadline is not None:
            self._received += len(data)
            if self._received > _LARGEST_HEADERS:
                self.transport.abort()

    def on_message_begin(self) -> None:
        self._expect_headers()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._headers_came()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._headers_came()
        super().connection_lost(exc)

    def _expect_headers(self) -> None:
        if self._deadline is None:
            self._received = 0
            self._deadline = self.loop.call_later(HEADER_SECONDS, self.transport.abort)

    def _headers_came(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
