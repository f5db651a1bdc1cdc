"""Commands to the primary, by connections that PyMongo has made, without what it does for each command.

For each command, PyMongo 4.20 makes three tasks, waits for one of them and for the cancellation of another, selects
a server, checks a connection out and in, and reads the head and the body of the answer in turns of their own. Here it
is one write, one turn of the event loop when the answer is there, and two timers (decision 0024, docs/performance.md).

What is rare is left to PyMongo: whoever gets `WireLost` asks by it. It finds the new primary, tries again where that
may help, and says what is wrong.
"""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import Final

import pymongo
import structlog
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient
from pymongo.server_selectors import writable_server_selector

from models.database.sealing import Raw
from models.database.wire import Answer, Message, WireConnection, WireLost, document_of

SLACK: Final = 0.5  # seconds that a connection has longer than who asks: what is late costs no connection
_MAX_TIME_EXPIRED: Final = 50
# The server is not, or no longer, the primary, or goes; or wants to be signed in to again.
_CHANGED: Final = frozenset({10107, 13435, 13436, 10058, 11600, 11602, 189, 91, 391})
_ANOTHER_DRIVER: Final = (AttributeError, TypeError)


class WirePool:
    """Up to `places` connections of `client`, each asked one command at a time, which ends after `seconds` at the
    latest. They are made when they are needed, and the one that was used last is used next."""

    def __init__(self, client: AsyncMongoClient[Raw], places: int, seconds: float) -> None:
        self._client, self._places, self._seconds = client, places, seconds
        self._longest_idle = client.options.pool_options.max_idle_time_seconds
        self._usable = not client.options.load_balanced  # a balancer wants to be told what belongs together
        self._waiting: dict[Answer, Message] = {}
        self._idle: dict[WireConnection, float] = {}  # since when
        self._open: set[WireConnection] = set()
        self._holding: set[asyncio.Task[None]] = set()

    async def ask(self, message: Message, options: CodecOptions[Raw]) -> Raw:
        """The answer to a command that may do no harm when it is asked twice.

        Raises `WireLost` also where the server refuses, and `TimeoutError`. Whoever is cancelled leaves the connection
        to go on.
        """
        loop = asyncio.get_running_loop()
        waited: Answer = loop.create_future()
        self._send(message, waited)
        overdue = loop.call_later(self._seconds, _give_up, waited)
        try:
            content, connection = await waited
        finally:
            overdue.cancel()
            self._waiting.pop(waited, None)
        answer = document_of(content, options)
        if answer["ok"]:
            return answer
        if answer["code"] == _MAX_TIME_EXPIRED:
            raise TimeoutError
        if answer["code"] in _CHANGED:
            connection.retire()
        raise WireLost

    def _send(self, message: Message, answer: Answer) -> None:
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection, since = self._idle.popitem()
            if self._longest_idle is None or now - since < self._longest_idle:
                connection.ask(message, answer)
                return
            connection.abort()
        if not self._usable:
            raise WireLost
        self._waiting[answer] = message
        self._grow()

    def _grow(self) -> None:
        """Make another connection, if more wait than are being made and there is a place for it."""
        coming = len(self._holding) - len(self._open)
        if self._usable and coming < len(self._waiting) and len(self._holding) < self._places:
            # In a context of its own: it outlives the request that happens to need it first.
            apart = Context()
            task = asyncio.get_running_loop().create_task(self._hold(), context=apart)
            self._holding.add(task)
            task.add_done_callback(self._held, context=apart)

    def free(self, connection: WireConnection) -> None:
        """Let a connection carry what has waited longest."""
        while self._waiting:
            answer = next(iter(self._waiting))
            message = self._waiting.pop(answer)
            if not answer.done():
                connection.ask(message, answer)
                return
        self._idle[connection] = asyncio.get_running_loop().time()

    def lost(self, connection: WireConnection) -> None:
        """Forget a connection."""
        self._open.discard(connection)
        self._idle.pop(connection, None)

    async def _hold(self) -> None:
        """One connection, from its beginning to its end."""
        # NOTE: the driver has deadlines of its own for all of this but the TLS handshake (PyMongo 4.20).
        with pymongo.timeout(self._seconds):
            async with asyncio.timeout(self._seconds + SLACK):
                server = await self._client._select_server(writable_server_selector, None, "find")
                checkout = server.pool.checkout()
                held = await checkout.__aenter__()
        try:
            transport, before = held.conn.conn
            if not transport.is_closing():
                try:
                    await self._lend(transport)
                finally:
                    before.connection_lost(None)  # closing waits for that
        finally:
            await held.close_conn(None)
            await checkout.__aexit__(None, None, None)

    async def _lend(self, transport: asyncio.Transport) -> None:
        """Use a connection until it ends."""
        connection = WireConnection(transport, self, self._seconds + SLACK)
        transport.set_protocol(connection)
        try:
            transport.resume_reading()
            self._open.add(connection)
            if self._usable:
                self.free(connection)
                await connection.ended.wait()
        finally:
            connection.abort()

    def _held(self, task: asyncio.Task[None]) -> None:
        self._holding.discard(task)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if self._usable and isinstance(error, _ANOTHER_DRIVER):
            # Another one than this was made for. It does all of it itself from now on.
            self._usable = False
            structlog.get_logger(__name__).warning("wire_pool_unusable", error=type(error).__name__)
        if error is None:
            self._grow()
        if not self._holding:
            for answer in self._waiting:
                if not answer.done():
                    answer.set_exception(WireLost())

    async def close(self) -> None:
        """Let go of all connections."""
        self._usable = False
        for connection in list(self._open):
            connection.abort()
        if self._holding:
            await asyncio.wait(self._holding, timeout=self._seconds + SLACK)


def _give_up(answer: Answer) -> None:
    if not answer.done():
        answer.set_exception(TimeoutError())
