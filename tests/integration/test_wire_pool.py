"""Finds past the driver's own machinery: what they answer, and that the driver is asked where that fails."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from typing import Any
from unittest.mock import AsyncMock, patch
from urllib.parse import urlsplit

import pytest
from bson.codec_options import CodecOptions
from pymongo import AsyncMongoClient
from pymongo.asynchronous.cursor import AsyncCursor

from models.database import Database
from models.database.query import Query
from models.database.reads import Reads
from models.database.wire import Message, WireLost
from models.database.wire_pool import WirePool
from models.embedded import Embedded
from models.user import UserDocument

OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)
PLACES = 3
PING = {"ping": 1, "$db": "admin"}


class Proxy:
    """Stands before a server; `cut` ends all connections, `mute` lets nothing more through."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._talks: set[asyncio.Task[None]] = set()
        self.accepted = 0
        self.is_muted = False

    async def start(self) -> int:
        """Begin to listen; the port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """End everything."""
        self._server.close()
        self.cut()
        await asyncio.gather(*self._talks, return_exceptions=True)

    def cut(self) -> None:
        """End all connections."""
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        beyond, onward = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers |= {writer, onward}
        for source, target in ((reader, onward), (beyond, writer)):
            task = asyncio.create_task(self._pass_on(source, target))
            self._talks.add(task)

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                if not self.is_muted:
                    target.write(data)
        target.transport.abort()


@pytest.fixture
async def proxy(mongod: Embedded) -> AsyncIterator[tuple[Proxy, str]]:
    """One before the real server, and the address by it."""
    address = urlsplit(mongod.admin_url)
    assert address.port is not None
    between = Proxy(address.port)
    port = await between.start()
    direct = re.sub(r"replicaSet=\w+", "directConnection=true", mongod.admin_url)
    yield between, direct.replace(f":{address.port}", f":{port}")
    await between.stop()


@pytest.fixture
async def client(mongod: Embedded) -> AsyncIterator[AsyncMongoClient[dict[str, Any]]]:
    """The driver's."""
    opened: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongod.admin_url)
    yield opened
    await opened.close()


@pytest.fixture
async def pool(client: AsyncMongoClient[dict[str, Any]]) -> AsyncIterator[WirePool]:
    """Three connections, half a second for each command."""
    opened = WirePool(client, PLACES, 0.5)
    yield opened
    await opened.close()


def ping() -> Message:
    """What every server answers."""
    return Message(PING, OPTIONS)


async def test_connections_are_made_when_needed_and_used_again(pool: WirePool) -> None:
    """One for commands in turn, no more than there are places for many at once."""
    for _ in range(5):
        assert (await pool.ask(ping(), OPTIONS))["ok"] == 1
    assert len(pool._open) == 1
    answers = await asyncio.gather(*(pool.ask(ping(), OPTIONS) for _ in range(50)))
    assert {answer["ok"] for answer in answers} == {1}
    assert len(pool._open) == PLACES


async def test_a_find_goes_past_the_driver(mongod: Embedded) -> None:
    """If this fails after an update of PyMongo, what `WirePool` needs of it has changed: all finds are slower."""
    database = await Database.connect(mongod.admin_url, name="test_wire_pool")
    with patch.object(AsyncCursor, "to_list", AsyncMock(side_effect=AssertionError)):
        assert await database.find(UserDocument, {}, limit=5) == []
    await database.close()


async def test_another_driver_is_left_to_itself(client: AsyncMongoClient[dict[str, Any]], pool: WirePool) -> None:
    """Where what is needed of it is not there, nobody waits."""
    with patch.object(AsyncMongoClient, "_select_server", AsyncMock(side_effect=AttributeError)):
        with pytest.raises(WireLost):
            await pool.ask(ping(), OPTIONS)
        with pytest.raises(WireLost):
            await pool.ask(ping(), OPTIONS)
    assert pool._holding == set()


async def test_what_the_server_refuses_is_asked_by_the_driver(pool: WirePool) -> None:
    """It says why; the connection is made anew, for the server may not be what it was."""
    await pool.ask(ping(), OPTIONS)
    with pytest.raises(WireLost):
        await pool.ask(Message({"find": "people", "filter": {"$no": 1}, "$db": "test"}, OPTIONS), OPTIONS)
    await asyncio.gather(*pool._holding)
    assert pool._open == set()
    assert (await pool.ask(ping(), OPTIONS))["ok"] == 1


async def test_a_command_ends_in_time_and_its_connection_with_it(
    proxy: tuple[Proxy, str],
) -> None:
    """The server says nothing more: all who ask are answered, and the next ones by new connections."""
    between, url = proxy
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url)
    pool = WirePool(client, PLACES, 0.5)
    await asyncio.gather(*(pool.ask(ping(), OPTIONS) for _ in range(20)))
    between.is_muted = True
    async with asyncio.timeout(3):
        outcomes = await asyncio.gather(*(pool.ask(ping(), OPTIONS) for _ in range(20)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {TimeoutError}
    between.is_muted = False
    assert (await pool.ask(ping(), OPTIONS))["ok"] == 1
    await pool.close()
    await client.close()


async def test_a_query_that_takes_too_long_is_ended_by_the_server(pool: WirePool) -> None:
    """By `maxTimeMS`: the connection is as good as before."""
    await pool.ask(ping(), OPTIONS)
    slow = {"find": "system.version", "filter": {"$where": "sleep(300) || true"}, "maxTimeMS": 20, "$db": "admin"}
    with pytest.raises(TimeoutError):
        await pool.ask(Message(slow, OPTIONS), OPTIONS)
    assert len(pool._open) == 1


async def test_finds_outlive_lost_connections(proxy: tuple[Proxy, str]) -> None:
    """Cut while they are idle, and while answers are under way: the driver asks again."""
    between, url = proxy
    reads = Reads(AsyncMongoClient(url), "test_lost", PLACES, 2.5)
    find = partial(reads.ask, UserDocument, Query({}, None, {}, 5), naive=True)
    for _ in range(3):
        assert await find() == []
        between.cut()
    finds = [asyncio.create_task(find()) for _ in range(40)]
    await asyncio.sleep(0)
    between.cut()
    assert await asyncio.gather(*finds) == [[]] * 40
    await reads.close()


async def test_many_who_give_up_leave_all_connections(pool: WirePool) -> None:
    """At every stage, again and again."""
    for storm in range(20):
        asks = [asyncio.create_task(pool.ask(ping(), OPTIONS)) for _ in range(60)]
        await asyncio.sleep(storm / 2000)
        for ask in asks:
            ask.cancel()
        await asyncio.gather(*asks, return_exceptions=True)
    answers = await asyncio.gather(*(pool.ask(ping(), OPTIONS) for _ in range(50)))
    assert {answer["ok"] for answer in answers} == {1}
    assert len(pool._open) == PLACES
    assert len(pool._idle) == PLACES


async def test_a_connection_that_was_idle_too_long_is_not_used(mongod: Embedded) -> None:
    """As the address wishes (`maxIdleTimeMS`): something on the way may have dropped it."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(f"{mongod.admin_url}&maxIdleTimeMS=50")
    pool = WirePool(client, PLACES, 0.5)
    await pool.ask(ping(), OPTIONS)
    [first] = pool._open
    await asyncio.sleep(0.1)
    await pool.ask(ping(), OPTIONS)
    [second] = pool._open
    assert second is not first
    await pool.close()
    await client.close()
