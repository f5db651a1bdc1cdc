"""Reads outside of transactions, by PyMongo's own asynchronous client on the event loop.

Motor's threads hand the interpreter back and forth while they decode; a page of 100 people takes a third
less processor time without them (docs/performance.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from beanie import Document
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient

from models.database.failures import collection_name, is_mistrust

T = TypeVar("T")
Raw = dict[str, Any]
Operation = Callable[[], Coroutine[Any, Any, T]]
_NAIVE: Final[CodecOptions[Raw]] = CodecOptions(tz_aware=False)


class Reads:
    """Runs reads, at most `places` at once: as many as the client has connections.

    Each in a task that ends by the deadline that it was given (`pymongo.timeout`) and is never cancelled.
    Cancelled reads, and many that wait for a connection, can leave the pool of PyMongo 4.20 locked for ever
    (`tests/integration/test_database.py`); so nobody waits there, but here for a place. Who asks is answered
    after `seconds` at the latest.
    """

    def __init__(self, client: AsyncMongoClient[Raw], database: str, places: int, seconds: float) -> None:
        self._client, self._database, self._seconds = client, database, seconds
        self._collections: dict[tuple[type[Document], bool], Any] = {}
        self._places = asyncio.Semaphore(places)
        self._under_way: set[asyncio.Task[Any] | None] = set()

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

    @property
    def mistrusts(self) -> bool:
        """Whether a server could not be talked to because of its certificate."""
        known = self._client.topology_description.server_descriptions().values()
        return any(is_mistrust(server.error) for server in known)

    async def run(self, operation: Operation[T]) -> T:
        """Run a read. Whoever is cancelled meanwhile leaves it to its deadline. Raises `TimeoutError`."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        task = loop.create_task(self._carry(operation, answer))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        overdue = loop.call_later(self._seconds, _give_up, answer)
        try:
            return await answer
        finally:
            overdue.cancel()

    async def run_here(self, operation: Operation[T]) -> T:
        """The same in the calling task, which nobody may cancel and which needs no answer in time."""
        task = asyncio.current_task()
        async with self._places:
            self._under_way.add(task)
            try:
                return await operation()
            finally:
                self._under_way.discard(task)

    async def _carry(self, operation: Operation[T], answer: asyncio.Future[T]) -> None:
        async with self._places:
            if answer.done():
                return  # whoever asked has gone
            try:
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
        if self._under_way:
            await asyncio.wait({task for task in self._under_way if task}, timeout=self._seconds)
        await self._client.close()


def _give_up(answer: asyncio.Future[Any]) -> None:
    if not answer.done():
        answer.set_exception(TimeoutError())
