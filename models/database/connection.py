"""Every call to MongoDB: under a deadline, acknowledged by a majority, its failures without values.

Reads outside of transactions go through `models.database.reads`, all else through Motor.

Two deadlines guard each call. `pymongo.timeout` starts here, on the event loop, so that a call which
waited for one of Motor's threads gives up the moment it gets one (the URL option `timeoutMS` would
only start inside the thread). `asyncio.timeout` answers the caller even while every thread is stuck.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final, Self, TypeAlias, TypeVar

import pymongo
from beanie import Document, init_beanie
from mongomock_motor import AsyncMongoMockClient
from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorClientSession,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
)
from pymongo import AsyncMongoClient

from models.database.client import make_client
from models.database.failures import CAUGHT, DEFAULT_SETTING, Collision, collection_name, indexes, meaning, mistrust
from models.database.memory import make_indexes
from models.database.query import Question
from models.database.reads import Reads
from models.database.validation import has_violation, put_validator
from models.errors import DatabaseUnavailable, FieldwardError
from models.registry import DOCUMENTS

T = TypeVar("T")
Raw: TypeAlias = dict[str, Any]
Session: TypeAlias = AsyncIOMotorClientSession

DEFAULT_NAME: Final = "fieldward"
TIMEOUT: Final = 2.5  # seconds; a request makes few calls, and the first that fails ends it
ABORT_TIMEOUT: Final = 0.5  # comes after a call that may have used all of TIMEOUT; the server aborts by itself too
INDEX_TIMEOUT: Final = 600.0  # building an index over millions of rows takes its time
READS: Final = 8  # at once; more of them only push each other's rows out of the processor's caches
ATTEMPTS: Final = 6  # of a transaction that keeps meeting others


class Connection:
    """An open MongoDB database: how it is reached, its transactions and its indexes."""

    def __init__(self, client: Any, database: Any, *, in_memory: bool, seconds: float, setting: str) -> None:  # noqa: ANN401 - the driver's own, or the stand-in's
        self._client: AsyncIOMotorClient[Raw] = client
        self._database: AsyncIOMotorDatabase[Raw] = database
        self._seconds = seconds
        self._setting = setting
        self._has_transactions = False
        self._collections: dict[type[Document], AsyncIOMotorCollection[Raw]] = {}
        self._reads: Reads | None = None
        self._documents: Sequence[type[Document]] = DOCUMENTS
        self.in_memory = in_memory

    @classmethod
    async def connect(
        cls,
        url: str | None,
        *,
        name: str | None = None,
        documents: Sequence[type[Document]] = DOCUMENTS,
        seconds: float = TIMEOUT,
        listeners: Sequence[Any] = (),
        setting: str = DEFAULT_SETTING,
    ) -> Self:
        """Open the database at `url` (None: in memory) and check that it answers.

        `name` wins over the one in the URL; `documents` are what it holds; `seconds` is the deadline of each call;
        `listeners` are the driver's event listeners; `setting` is the variable that messages name. Raises
        `ConfigurationError` for an address, a credential or a certificate that does not hold.
        """
        if url is None:
            memory: Any = AsyncMongoMockClient(tz_aware=True)
            opened = cls(memory, memory[name or DEFAULT_NAME], in_memory=True, seconds=seconds, setting=setting)
        else:
            client = make_client(AsyncIOMotorClient, url, seconds, listeners, setting)
            chosen = client[name] if name else client.get_default_database(DEFAULT_NAME)
            opened = cls(client, chosen, in_memory=False, seconds=seconds, setting=setting)
            reader = make_client(AsyncMongoClient, url, seconds, listeners, setting)
            opened._reads = Reads(reader, chosen.name, READS, seconds, listeners)
        opened._documents = documents
        try:
            await opened._prepare()
        except BaseException:
            await opened.close()
            raise
        return opened

    async def _prepare(self) -> None:
        if (reads := self._reads) is not None:  # Motor's connections are tried by Beanie, right below
            try:
                hello = await self._call(lambda: reads.command("hello"))
            except DatabaseUnavailable:
                if reads.mistrusts:
                    raise mistrust(self._setting) from None
                raise
            self._has_transactions = "setName" in hello or hello.get("msg") == "isdbgrid"
        models = list(self._documents)
        await self._call(lambda: init_beanie(self._database, document_models=models, skip_indexes=True))

    @property
    def has_transactions(self) -> bool:
        """Whether changes of several documents are all or nothing here: on a replica set and a sharded cluster."""
        return self._has_transactions

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Session | None, None]:
        """All or nothing: pass the session to each call. None where the database has no transactions.

        A meeting with another transaction raises `DatabaseUnavailable`; `run_in_transaction` retries.
        """
        if not self._has_transactions:
            yield None
            return
        session = await self._call(self._client.start_session)
        try:
            session.start_transaction()
            yield session
            await self._call(session.commit_transaction)
        finally:
            # Ending a session aborts what was not committed; shielded, so that a cancelled request
            # leaves no open transaction behind to block others.
            await asyncio.shield(asyncio.ensure_future(self._end(session)))

    async def _end(self, session: Session) -> None:
        try:
            await self._call(session.end_session, seconds=ABORT_TIMEOUT)
        except DatabaseUnavailable:
            return  # the server ends what it no longer hears of by itself

    async def run_in_transaction(self, work: Callable[[Session | None], Awaitable[T]]) -> T:
        """Run `work` in a transaction, again from its start when it met another one.

        `work` may run several times: it must do nothing outside the database. Raises
        `DatabaseUnavailable` when it keeps meeting others.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self.transaction() as session:
                    return await work(session)
            except Collision:
                if attempt == ATTEMPTS:
                    raise
            await asyncio.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - spreads retries, no secret
        raise DatabaseUnavailable

    async def make_indexes(self) -> None:
        """Make what the document classes declare; at start, outside the request path.

        Raises `ConfigurationError` when an index exists with other options.
        """
        for document in self._documents:
            if indexes(document):
                await self._call(partial(self._make_indexes, document), document, INDEX_TIMEOUT)

    async def _make_indexes(self, document: type[Document]) -> None:
        rows, declared = self._of(document), indexes(document)
        if self.in_memory:
            await make_indexes(rows, declared)
            return
        superseded: Mapping[str, str] = getattr(document.Settings, "superseded", {})
        if superseded:
            for name, found in (await rows.index_information()).items():
                if superseded.get(name) == found["key"][0][0]:
                    await rows.drop_index(name)
        await rows.create_indexes(declared)

    async def set_validator(self, document: type[Document], validator: Mapping[str, Any], *, strict: bool) -> None:
        """Let MongoDB refuse rows of `document` that do not match; not strict: a row that does not yet may go on so."""
        name = collection_name(document)
        await self._call(lambda: put_validator(self._database, name, validator, strict=strict), document, INDEX_TIMEOUT)

    async def has_violation(self, document: type[Document], validator: Mapping[str, Any]) -> bool:
        """Whether a stored row does not match; looks at all rows where every one does."""
        rows = self._of(document)
        return await self._call(lambda: has_violation(rows, validator), document, INDEX_TIMEOUT)

    async def ping(self) -> bool:
        """Whether the database answers now."""
        try:
            await self._call(partial(self._reads.command if self._reads else self._database.command, "ping"))
        except FieldwardError:
            return False
        return True

    async def drop(self) -> None:
        """Remove the whole database."""
        await self._call(lambda: self._client.drop_database(self._database.name), seconds=INDEX_TIMEOUT)

    async def close(self) -> None:
        """Let go of all connections."""
        self._client.close()
        if self._reads is not None:
            await self._reads.close()

    def _of(self, document: type[Document]) -> AsyncIOMotorCollection[Raw]:
        rows = self._collections.get(document)
        if rows is None:
            rows = self._collections[document] = self._database[collection_name(document)]
        return rows

    async def _read(self, document: type[Document], naive: bool, question: Question) -> list[Raw]:
        """What a question outside of transactions finds."""
        if self._reads is None:
            return await self._call(lambda: question.by_cursor(self._of(document)))
        return await self._told(self._reads.ask(document, question, naive=naive))

    async def _call(
        self,
        operation: Callable[[], Awaitable[T]],
        document: type[Document] | None = None,
        seconds: float | None = None,
    ) -> T:
        async def call(seconds: float) -> T:
            with pymongo.timeout(seconds):
                async with asyncio.timeout(seconds):
                    return await operation()

        return await self._told(call(seconds or self._seconds), document)

    async def _told(self, work: Coroutine[Any, Any, T], document: type[Document] | None = None) -> T:
        """What `work` gives, its failures in the service's own words."""
        try:
            return await work
        except CAUGHT as error:
            failure = meaning(error, document, self._setting)
        raise failure  # outside of the handler, so that the driver's error is not its context
