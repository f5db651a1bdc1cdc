"""Connections that a slow client cannot hold: handshake and headers must arrive in time, and so must what it reads.

uvicorn itself ends idle connections, but one that sends a byte now and then would stay for ever.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final, cast

import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_SECONDS: Final = 10.0
UNREAD_MILLISECONDS: Final = 20_000
_LARGEST_HEADERS: Final = 64 * 1024  # bytes
_INTERIM: Final = b"HTTP/1.1 100 "  # Continue: comes before an answer, which may wait for what follows it


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
    """HTTP/1.1 as uvicorn speaks it, with a deadline and a size for the headers of every request, and each answer's
    head in one piece with its body."""

    _deadline: asyncio.TimerHandle | None = None
    _expecting = False
    _received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own type
        super().connection_made(transport)
        self._expecting = True
        self._begin_deadline()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # Most requests come in one piece, and are over before there could be a deadline.
        if self._expecting:
            if self._deadline is None:
                self._begin_deadline()
            self._received += len(data)
            if self._received > _LARGEST_HEADERS:
                self.transport.abort()

    def on_message_begin(self) -> None:
        self._expecting = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._headers_came()
        super().on_headers_complete()
        if self.scope["method"] != "HEAD":  # to that, a head is all there is
            self.cycle.transport = cast("asyncio.Transport", Joining(self.cycle.transport))

    def connection_lost(self, exc: Exception | None) -> None:
        self._headers_came()
        super().connection_lost(exc)

    def _begin_deadline(self) -> None:
        self._received = 0
        self._deadline = self.loop.call_later(HEADER_SECONDS, self.transport.abort)

    def _headers_came(self) -> None:
        self._expecting = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class Joining:
    """The transport of one answer. Its head waits for the first of its body, as ASGI has it, so that they leave as one
    segment: the client is woken once."""

    __slots__ = ("_begun", "_head", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""
        self._begun = False

    def write(self, data: bytes) -> None:
        """Hold back the first piece, and send it along with the second."""
        if self._head:
            data, self._head = self._head + data, b""
            self._transport.write(data)
        elif self._begun or data.startswith(_INTERIM):
            self._transport.write(data)
        else:
            self._head, self._begun = data, True

    def is_closing(self) -> bool:
        """As of the transport."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Send what is held back and close."""
        if self._head:
            self.write(b"")
        self._transport.close()
