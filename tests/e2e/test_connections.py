"""Slow clients: they lose their connection, and nobody waits for them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from graph import connections
from graph.connections import Joining, PromptLoop, PromptProtocol, bound_unread
from models.crypto.tls import TlsFiles
from tests.certificates import Authority

HEAD = b"GET / HTTP/1.1\r\nHost: here\r\n"


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """The smallest application."""
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """A server that waits 0.3 s for headers."""
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        bound_unread(listening)
        config = uvicorn.Config(hello, http=PromptProtocol, ws="none", lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        running = asyncio.create_task(server._serve([listening]))  # serve() would take over the signals
        yield listening.getsockname()[1]
        server.should_exit = True
        await running


async def ends(reader: asyncio.StreamReader) -> bool:
    """Whether the server ends the connection within 5 s without an answer."""
    try:
        return await asyncio.wait_for(reader.read(), 5) == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize("begun", [b"", HEAD + b"X-Slow: "], ids=["nothing", "half"])
async def test_headers_that_never_end_lose_the_connection(port: int, begun: bytes) -> None:
    """With nothing sent, and with half of it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begun)
    assert await ends(reader)
    writer.close()


async def test_the_second_request_of_a_connection_has_a_deadline_too(port: int) -> None:
    """A good first request earns no patience."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD + b"\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")
    writer.write(HEAD + b"X-Slow: ")
    assert await ends(reader)
    writer.close()


async def test_endless_headers_lose_the_connection(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """By their size, long before the deadline."""
    monkeypatch.setattr(connections, "HEADER_SECONDS", 60)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD + (b"X-Large: " + b"a" * 1000 + b"\r\n") * 100)
    assert await ends(reader)
    writer.close()


def test_a_handshake_that_never_ends_loses_the_connection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Before the protocol has heard of the client at all."""
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.3)
    offered = TlsFiles(*Authority(tmp_path).issue("server")).server_context()

    async def wait_in_silence() -> bool:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0, ssl=offered)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            return await ends(reader)
        finally:
            writer.close()
            server.close()

    with asyncio.Runner(loop_factory=PromptLoop) as runner:
        assert runner.run(wait_in_silence())


async def test_a_prompt_client_keeps_its_connection(port: int) -> None:
    """The deadline ends with the headers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):
        writer.write(HEAD + b"\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")
        await asyncio.sleep(0.5)
    writer.close()


class Wire:
    """A transport that notes what is written, piece by piece."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        """One piece."""
        self.pieces.append(data)

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self.closed

    def close(self) -> None:
        """Note it."""
        self.closed = True


def joining() -> tuple[Wire, Joining]:
    """An answer's transport, and where it leads."""
    wire = Wire()
    return wire, Joining(cast("asyncio.Transport", wire))


def test_a_head_leaves_with_the_first_of_its_body() -> None:
    """And the rest of the body as it comes."""
    wire, answer = joining()
    for data in (b"HTTP/1.1 200 OK\r\n\r\n", b"one", b"two"):
        answer.write(data)
    assert wire.pieces == [b"HTTP/1.1 200 OK\r\n\r\none", b"two"]


def test_an_interim_answer_leaves_at_once() -> None:
    """The client waits for it before it sends the body."""
    wire, answer = joining()
    answer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    answer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    answer.write(b"")
    assert wire.pieces == [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n"]


def test_a_head_without_a_body_leaves_when_the_connection_is_closed() -> None:
    """Where an application fails between the two."""
    wire, answer = joining()
    answer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    assert not answer.is_closing()
    answer.close()
    assert (wire.pieces, wire.closed) == ([b"HTTP/1.1 200 OK\r\n\r\n"], True)


async def test_the_answer_to_a_head_request_comes_at_once(port: int) -> None:
    """It has no body that its head could wait for."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD.replace(b"GET", b"HEAD") + b"\r\n")
    assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).startswith(b"HTTP/1.1 204")
    writer.close()
