"""Finds past the driver's own machinery: what they answer, and that the driver is asked where that fails."""

from __future__ import annotations

import asyncio
import gc
import re
import ssl
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, patch
from urllib.parse import urlsplit

import pytest
from bson.codec_options import CodecOptions
from bson.errors import InvalidBSON
from pymongo import AsyncMongoClient
from pymongo.asynchronous.cursor import AsyncCursor
from pymongo.server_selectors import writable_server_selector

from models.database import Database
from models.database.query import Query
from models.database.reads import Reads
from models.database.wire import Message, WireLost
from models.database.wire_pool import WirePool
from models.embedded import Embedded
from models.user import UserDocument
from tests.certificates import Authority

OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)
PLACES = 3
PING = {"ping": 1, "$db": "admin"}
REFUSED = {"find": "people", "filter": {"$no": 1}, "$db": "test"}
SLOW = {"find": "system.version", "filter": {"$where": "sleep(300) || true"}, "$db": "admin"}


class Transient:
    """Something that a request brings along."""


class Proxy:
    """Stands before a server; `cut` ends all connections, `mute` lets nothing more through."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._to, self._tls = port, tls
        self._writers: set[asyncio.StreamWriter] = set()
        self._talks: set[asyncio.Task[None]] = set()
        self.accepted = 0
        self.is_muted = False

    async def start(self) -> int:
        """Begin to listen; the port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
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


@asynccontextmanager
async def plainly(mongod: Embedded) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy before the real server, and the address by it."""
    between = Proxy(port_of(mongod))
    yield between, by(mongod, await between.start())
    await between.stop()


@asynccontextmanager
async def by_tls(mongod: Embedded, folder: Path) -> AsyncIterator[tuple[Proxy, str]]:
    """The same, where the server behind it speaks TLS."""
    authority = Authority(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue("server"))
    server = Proxy(port_of(mongod), context)
    between = Proxy(await server.start())
    yield between, f"{by(mongod, await between.start())}&tls=true&tlsCAFile={authority.file}"
    await between.stop()
    await server.stop()


@pytest.fixture(params=["plain", "tls"])
async def proxy(
    request: pytest.FixtureRequest, mongod: Embedded, tmp_path: Path
) -> AsyncIterator[tuple[Proxy, AsyncMongoClient[dict[str, Any]]]]:
    """A proxy, and the driver's client by it."""
    async with plainly(mongod) if request.param == "plain" else by_tls(mongod, tmp_path) as (between, url):
        opened: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url)
        yield between, opened
        await opened.close()


def port_of(mongod: Embedded) -> int:
    """Where it listens."""
    port = urlsplit(mongod.admin_url).port
    assert port is not None
    return port


def by(mongod: Embedded, port: int) -> str:
    """The server's address by another port."""
    direct = re.sub(r"replicaSet=\w+", "directConnection=true", mongod.admin_url)
    return direct.replace(f":{port_of(mongod)}", f":{port}")


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
        for _ in range(2):
            with pytest.raises(WireLost):
                await pool.ask(ping(), OPTIONS)
    with pytest.raises(WireLost):
        await pool.ask(ping(), OPTIONS)
    assert pool._holding == set()


async def test_any_other_failure_passes(pool: WirePool) -> None:
    """Whatever a broken answer makes of a handshake: the next one may be fine."""
    with patch.object(AsyncMongoClient, "_select_server", AsyncMock(side_effect=InvalidBSON)), pytest.raises(WireLost):
        await pool.ask(ping(), OPTIONS)
    assert (await pool.ask(ping(), OPTIONS))["ok"] == 1


async def test_what_the_server_refuses_is_asked_by_the_driver(pool: WirePool) -> None:
    """It says why; the connection is as good as before, and so are the others."""
    await pool.ask(ping(), OPTIONS)
    before = set(pool._open)
    wrong = [pool.ask(Message(REFUSED, OPTIONS), OPTIONS) for _ in range(10)]
    right = [pool.ask(ping(), OPTIONS) for _ in range(10)]
    outcomes = await asyncio.gather(*wrong, *right, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [WireLost] * 10 + [dict] * 10
    assert before <= pool._open


@pytest.mark.parametrize("code", [10107, 13435, 11600, 11602, 189, 91, 391])
async def test_a_server_that_is_another_by_now_is_asked_no_more(pool: WirePool, code: int) -> None:
    """Not the primary, going, or wanting to be signed in to again."""
    await pool.ask(ping(), OPTIONS)
    [first] = pool._open
    refusal = {"ok": 0.0, "code": code}
    with patch("models.database.wire_pool.document_of", return_value=refusal), pytest.raises(WireLost):
        await pool.ask(ping(), OPTIONS)
    async with asyncio.timeout(2):
        await first.ended.wait()
    assert (await pool.ask(ping(), OPTIONS))["ok"] == 1
    assert first not in pool._open


async def test_a_command_ends_in_time_and_the_next_ones_are_answered(
    proxy: tuple[Proxy, AsyncMongoClient[dict[str, Any]]],
) -> None:
    """The server says nothing more, once connected or from the first byte on: all who ask are answered in time, nothing
    is kept of them, and soon after it speaks again the next ones are served."""
    between, client = proxy
    pool = WirePool(client, PLACES, 0.5)
    await asyncio.gather(*(pool.ask(ping(), OPTIONS) for _ in range(20)))
    between.is_muted = True
    for _ in range(3):
        async with asyncio.timeout(1):
            outcomes = await asyncio.gather(*(pool.ask(ping(), OPTIONS) for _ in range(20)), return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} <= {TimeoutError, WireLost}
        assert pool._waiting == {}
    between.is_muted = False
    await asyncio.sleep(1.5)  # what was said meanwhile is lost: connections that are being made end by their own time
    assert (await pool.ask(ping(), OPTIONS))["ok"] == 1
    await pool.close()


async def test_a_connection_that_the_driver_lost_is_not_taken(
    proxy: tuple[Proxy, AsyncMongoClient[dict[str, Any]]],
) -> None:
    """One that lay in its pool, ended since: nobody would hear of its end a second time."""
    _, client = proxy
    await client.admin.command("ping")
    server = await client._select_server(writable_server_selector, None, "find")
    [kept] = server.pool.conns
    kept.conn.conn[0].abort()
    await asyncio.sleep(0.05)
    assert list(server.pool.conns) == [kept]
    pool = WirePool(client, 1, 2.5)
    async with asyncio.timeout(2):
        assert (await pool.ask(ping(), OPTIONS))["ok"] == 1
    await pool.close()


async def test_who_waits_does_not_wait_for_the_last_connection(pool: WirePool) -> None:
    """One ends while others carry what takes long: another is made."""
    await asyncio.gather(*(pool.ask(ping(), OPTIONS) for _ in range(20)))
    slow = [asyncio.create_task(pool.ask(Message(SLOW, OPTIONS), OPTIONS)) for _ in range(PLACES)]
    await asyncio.sleep(0.02)
    quick = asyncio.create_task(pool.ask(ping(), OPTIONS))
    await asyncio.sleep(0.02)
    next(iter(pool._open)).abort()
    assert (await quick)["ok"] == 1
    assert not any(task.done() and task.exception() is None for task in slow)
    await asyncio.gather(*slow, return_exceptions=True)


async def test_a_connection_that_is_given_up_is_closed(client: AsyncMongoClient[dict[str, Any]]) -> None:
    """Never given back to the driver, which would wait for it for ever."""
    pool = WirePool(client, 1, 0.5)
    await pool.ask(ping(), OPTIONS)
    [holding], [connection] = pool._holding, pool._open
    holding.cancel()
    async with asyncio.timeout(2):
        await asyncio.wait([holding])
        await connection.ended.wait()
    assert (pool._open, pool._idle, pool._holding) == (set(), {}, set())
    async with asyncio.timeout(2):
        await client.admin.command("ping")
        assert (await pool.ask(ping(), OPTIONS))["ok"] == 1
    await pool.close()


async def test_nothing_of_who_asked_first_is_kept(pool: WirePool) -> None:
    """A connection outlives the request that it was made for."""
    asker: ContextVar[object] = ContextVar("asker")

    async def ask() -> weakref.ref[Transient]:
        value = Transient()
        asker.set(value)
        await pool.ask(ping(), OPTIONS)
        return weakref.ref(value)

    asked = await asyncio.create_task(ask())
    await pool.ask(ping(), OPTIONS)
    await asyncio.sleep(1.1)  # asyncio keeps timers until their time, though they were cancelled
    gc.collect()
    assert asked() is None


async def test_a_query_that_takes_too_long_is_ended_by_the_server(pool: WirePool) -> None:
    """By `maxTimeMS`: the connection is as good as before."""
    await pool.ask(ping(), OPTIONS)
    with pytest.raises(TimeoutError):
        await pool.ask(Message(SLOW | {"maxTimeMS": 20}, OPTIONS), OPTIONS)
    assert len(pool._open) == 1


async def test_finds_outlive_lost_connections(proxy: tuple[Proxy, AsyncMongoClient[dict[str, Any]]]) -> None:
    """Cut while they are idle, and while answers are under way: the driver asks again."""
    between, client = proxy
    reads = Reads(client, "test_lost", PLACES, 2.5)
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
    async with asyncio.timeout(2):
        await first.ended.wait()
    [second] = pool._open
    assert second is not first
    await pool.close()
    await client.close()
