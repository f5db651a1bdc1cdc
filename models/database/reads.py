"""Reads outside of transactions: past the driver where that can be, else by PyMongo's asynchronous client.

Motor's threads hand the interpreter back and forth while they decode; a page of 100 people takes a third
less processor time without them (docs/performance.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from time import monotonic
from typing import Any, Final, TypeVar

import pymongo
from beanie import Document
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient
from pymongo.monitoring import CommandListener, CommandStartedEvent

from models.database.failures import collection_name, is_mistrust
from models.database.query import Question
from models.database.sealing import Raw
from models.database.wire import Message, WireLost
from models.database.wire_pool import SLACK, WirePool

T = TypeVar("T")
Operation = Callable[[], Coroutine[Any, Any, T]]
_NO_ADDRESS: Final = ("", 0)
_NAIVE: Final[CodecOptions[Raw]] = CodecOptions(tz_aware=False)


class Reads:
    """Runs reads. What has a limit goes by a `WirePool`; all else is the driver's, at most `places` at once.

    Each of those in a task that ends by the deadline that it was given (`pymongo.timeout`) and that nobody cancels.
    Cancelled reads, and many that wait for a connection, can leave the pool of PyMongo 4.20 locked for ever
    (`tests/integration/test_database.py`); so nobody waits there, but here for a place. Who asks is answered
    after `seconds` at the latest.
    """

    def __init__(
        self,
        client: AsyncMongoClient[Raw],
        database: str,
        places: int,
        seconds: float,
        listeners: Sequence[CommandListener] = (),
    ) -> None:
        self._client, self._database, self._seconds = client, database, seconds
        self._listeners = listeners
        self._collections: dict[tuple[type[Document], bool], Any] = {}
        self._places = asyncio.Semaphore(places)
        self._under_way: set[asyncio.Task[Any]] = set()
        self._wire = WirePool(client, places, seconds)

    def collection(self, document: type[Document], *, naive: bool) -> Any:  # noqa: ANN401 - the driver's own collection
        """The collection of a document class; `naive` leaves moments without a zone."""
        rows = self._collections.get((document, naive))
        if rows is None:
            rows = self._client[self._database][collection_name(document)]
            rows = self._collections[document, naive] = rows.with_options(codec_options=_NAIVE) if naive else rows
        return rows

    async def command(self, name: str) -> Raw:
        """The server's answer to a command without arguments."""
        return await self.run(lambda: self._client.admin.command(name))

    async def ask(self, document: type[Document], question: Question, *, naive: bool) -> list[Raw]:
        """The rows that answer `question`; `naive` as in `collection`. Raises `TimeoutError`."""
        rows, began = self.collection(document, naive=naive), monotonic()
        if question.limit and (found := await self._at_once(rows, question)) is not None:
            return found
        return await self.run(lambda: question.by_cursor(rows), self._seconds - (monotonic() - began))

    async def _at_once(self, rows: Any, question: Question) -> list[Raw] | None:  # noqa: ANN401 - the driver's own collection
        """The rows in one batch, or None: the driver's cursor does what is rare, which is several batches, and
        another try after a failure, where that may help."""
        command = question.command(rows.name) | {"maxTimeMS": int(self._seconds * 1000), "$db": self._database}
        if rows.read_concern.level:
            command["readConcern"] = rows.read_concern.document
        for listener in self._listeners:
            # NOTE: neither its number nor which connection will carry it is known yet.
            listener.started(CommandStartedEvent(command, self._database, 0, _NO_ADDRESS, None))
        try:
            cursor = (await self._wire.ask(Message(command, rows.codec_options), rows.codec_options))["cursor"]
        except WireLost:
            return None
        if not cursor["id"]:
            found: list[Raw] = cursor["firstBatch"]
            return found
        kill = {"killCursors": rows.name, "cursors": [cursor["id"]]}
        self._begin(lambda: rows.database.command(kill), self._seconds).add_done_callback(_ignore)
        return None

    @property
    def mistrusts(self) -> bool:
        """Whether a server could not be talked to because of its certificate."""
        known = self._client.topology_description.server_descriptions().values()
        return any(is_mistrust(server.error) for server in known)

    async def run(self, operation: Operation[T], seconds: float | None = None) -> T:
        """Run a read of the driver's. Who is cancelled meanwhile leaves it to its deadline. Raises `TimeoutError`."""
        left = self._seconds if seconds is None else max(seconds, 0.001)  # PyMongo takes 0 for no end at all
        answer = self._begin(operation, left)
        overdue = asyncio.get_running_loop().call_later(left, _give_up, answer)
        try:
            return await answer
        finally:
            overdue.cancel()

    def _begin(self, operation: Operation[T], seconds: float) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        with pymongo.timeout(seconds):
            task = loop.create_task(self._carry(operation, answer))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return answer

    async def _carry(self, operation: Operation[T], answer: asyncio.Future[T]) -> None:
        async with self._places:
            if answer.done():
                return  # whoever asked has gone
            try:
                # NOTE: the driver keeps its deadline but in a TLS handshake (PyMongo 4.20).
                async with asyncio.timeout(self._seconds + SLACK):
                    found = await operation()
            except asyncio.CancelledError:
                answer.cancel()
                raise
            except Exception as error:  # noqa: BLE001 - handed on to whoever waits
                if not answer.done():
                    answer.set_exception(error)
            else:
                if not answer.done():
                    answer.set_result(found)

    async def close(self) -> None:
        """Let go of the connections, once what is under way has ended, or after `seconds`."""
        await self._wire.close()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=self._seconds)
        await self._client.close()


def _give_up(answer: asyncio.Future[Any]) -> None:
    if not answer.done():
        answer.set_exception(TimeoutError())


def _ignore(answer: asyncio.Future[Any]) -> None:
    """Look at a failure that is nobody's, or the event loop complains of it."""
    if not answer.cancelled():
        answer.exception()
