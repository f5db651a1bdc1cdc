"""Commands to the primary, by connections that PyMongo has made, without what it does for each command.

For each command, PyMongo 4.20 makes three tasks, waits for one of them and for the cancellation of another, selects
a server, checks a connection out and in, and reads the head and the body of the answer in turns of their own. Here it
is one write, one turn of the event loop when the answer is there, and a timer (decision 0024, docs/performance.md).

What is rare is left to PyMongo: whoever gets `WireLost` asks by it. It finds the new primary, tries again where that
may help, and says what is wrong.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import AsyncExitStack
from typing import Final

import pymongo
import structlog
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError
from pymongo.server_selectors import writable_server_selector

from models.database.wire import Answer, Message, Raw, WireConnection, WireLost, document_of

_MAX_TIME_EXPIRED: Final = 50


class WirePool:
    """Up to `places` connections of `client`, each asked one command at a time, which ends after `seconds` at the
    latest. They are made when they are needed, and the one that was used last is used next."""

    def __init__(self, client: AsyncMongoClient[Raw], places: int, seconds: float) -> None:
        self._client, self._places, self._seconds = client, places, seconds
        self._longest_idle = client.options.pool_options.max_idle_time_seconds
        self._usable = not client.options.load_balanced  # a balancer wants to be told what belongs together
        self._waiting: deque[tuple[Message, Answer]] = deque()
        self._idle: dict[WireConnection, float] = {}  # since when
        self._open: set[WireConnection] = set()
        self._holding: set[asyncio.Task[None]] = set()

    async def ask(self, message: Message, options: CodecOptions[Raw]) -> Raw:
        """The answer to a command that may do no harm when it is asked twice.

        Raises `WireLost` also where the server refuses, and `TimeoutError`. Whoever is cancelled leaves the connection
        to go on; one that does not answer in time is let go of.
        """
        loop = asyncio.get_running_loop()
        waited: Answer = loop.create_future()
        self._send(message, waited)
        overdue = loop.call_later(self._seconds, self._give_up, waited)
        try:
            content, connection = await waited
        finally:
            if not waited.cancelled():
                overdue.cancel()
        answer = document_of(content, options)
        if answer["ok"]:
            return answer
        if answer.get("code") == _MAX_TIME_EXPIRED:
            raise TimeoutError
        connection.retire()  # the server may be the primary no longer
        raise WireLost

    def _send(self, message: Message, answer: Answer) -> None:
        while self._idle:
            connection, since = self._idle.popitem()
            if self._longest_idle is None or asyncio.get_running_loop().time() - since < self._longest_idle:
                connection.ask(message, answer)
                return
            connection.abort()
        if not self._usable:
            raise WireLost
        self._waiting.append((message, answer))
        if len(self._holding) < self._places:
            task = asyncio.get_running_loop().create_task(self._hold())
            self._holding.add(task)
            task.add_done_callback(self._held)

    def _next(self, connection: WireConnection) -> None:
        """Let a connection carry what has waited longest."""
        while self._waiting:
            message, answer = self._waiting.popleft()
            if not answer.done():
                connection.ask(message, answer)
                return
        self._idle[connection] = asyncio.get_running_loop().time()

    def _give_up(self, answer: Answer) -> None:
        if not answer.done():
            answer.set_exception(TimeoutError())
        for connection in self._open:
            if connection.carries(answer):
                connection.abort()

    async def _hold(self) -> None:
        """One connection, from its beginning to its end."""
        async with AsyncExitStack() as stack:
            with pymongo.timeout(self._seconds):
                server = await self._client._select_server(writable_server_selector, None, "find")
                held = await stack.enter_async_context(server.pool.checkout())
            transport, before = held.conn.conn
            connection = WireConnection(transport, self._next, self._lose)
            transport.set_protocol(connection)
            transport.resume_reading()
            self._open.add(connection)
            if self._usable:
                self._next(connection)
            else:
                connection.abort()
            await connection.ended.wait()
            before.connection_lost(None)  # closing waits for that
            await held.close_conn(None)

    def _lose(self, connection: WireConnection) -> None:
        self._open.discard(connection)
        self._idle.pop(connection, None)

    def _held(self, task: asyncio.Task[None]) -> None:
        self._holding.discard(task)
        error = None if task.cancelled() else task.exception()
        if self._usable and error is not None and not isinstance(error, PyMongoError | OSError):
            # The driver is another than the one this was made for. It does all of it itself from now on.
            self._usable = False
            structlog.get_logger(__name__).warning("wire_pool_unusable", error=type(error).__name__)
        if not self._holding:
            while self._waiting:
                _, answer = self._waiting.popleft()
                if not answer.done():
                    answer.set_exception(WireLost())

    async def close(self) -> None:
        """Let go of all connections."""
        self._usable = False
        for connection in self._open:
            connection.abort()
        if self._holding:
            await asyncio.wait(self._holding, timeout=self._seconds)
