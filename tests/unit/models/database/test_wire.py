"""One connection: commands as bytes, answers in whatever pieces they come, and what is no answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import bson
import pytest
from bson.codec_options import CodecOptions
from hypothesis import given
from hypothesis import strategies as st

from models.database.wire import (
    HEADER,
    LARGEST,
    LARGEST_COMMAND,
    OP_MSG,
    Answer,
    Message,
    WireConnection,
    WireLost,
    document_of,
)

OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)
FOUND = {"cursor": {"firstBatch": [{"_id": "usr_eu_ann", "name": "Ann"}], "id": 0}, "ok": 1.0}


def reply(
    answered: int, document: dict[str, Any] = FOUND, *, kind: int = OP_MSG, flags: int = 0, first: int = 0
) -> bytes:
    """What a server sends."""
    body = bson.encode(document)
    return HEADER.pack(HEADER.size + len(body), 7, answered, kind, flags, first) + body


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.is_aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        self.written.append(bytes(data))

    def abort(self) -> None:
        """Note it."""
        self.is_aborted = True

    def is_closing(self) -> bool:
        """As the event loop's."""
        return self.is_aborted


@dataclass
class Line:
    """A connection on a transport that keeps what is written, and who was told of it."""

    transport: Transport = field(default_factory=Transport)
    freed: list[WireConnection] = field(default_factory=list)
    gone: list[WireConnection] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connection = WireConnection(self.transport, self, 60)

    def free(self, connection: WireConnection) -> None:
        """See `Keeper`."""
        self.freed.append(connection)

    def lost(self, connection: WireConnection) -> None:
        """See `Keeper`."""
        self.gone.append(connection)

    def ask(self) -> tuple[Message, Answer]:
        """Ask something."""
        message = Message({"find": "people", "$db": "test"}, OPTIONS)
        answer: Answer = asyncio.Future()
        self.connection.ask(message, answer)
        return message, answer


@pytest.fixture
async def line() -> Line:
    """One that is free."""
    return Line()


async def test_a_command_is_one_message(line: Line) -> None:
    """Length, number, answer to nothing, kind, no flags, one document."""
    message, _ = line.ask()
    [sent] = line.transport.written
    assert HEADER.unpack_from(sent) == (len(sent), message.number, 0, 2013, 0, 0)
    assert document_of(sent, OPTIONS) == {"find": "people", "$db": "test"}


async def test_messages_have_numbers_of_their_own() -> None:
    """An answer cannot be taken for one to another command."""
    numbers = [Message({}, OPTIONS).number for _ in range(100)]
    assert len(set(numbers)) == 100
    assert all(0 < number < 1 << 31 for number in numbers)


@given(st.data())
def test_an_answer_comes_in_any_pieces(data: st.DataObject) -> None:
    """Whole, byte by byte, or cut anywhere; the connection is free once it is whole, not before."""

    async def run() -> None:
        line = Line()
        for _ in range(2):
            message, answer = line.ask()
            sent = reply(message.number)
            cuts = sorted(data.draw(st.sets(st.integers(1, len(sent) - 1), max_size=6)))
            for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
                assert not answer.done()
                line.connection.data_received(sent[start:end])
            content, connection = await answer
            assert document_of(content, OPTIONS) == FOUND
            assert connection is line.connection
        assert line.freed == [line.connection] * 2
        assert not line.transport.is_aborted

    asyncio.run(run())


@pytest.mark.parametrize(
    "change",
    [{"kind": 1}, {"kind": 2012}, {"flags": 1}, {"flags": 2}, {"first": 1}],
    ids=["reply", "compressed", "checksum", "more", "several"],
)
async def test_what_was_not_asked_for_ends_the_connection(line: Line, change: dict[str, int]) -> None:
    """Nothing else is asked for, so nothing else is understood."""
    message, answer = line.ask()
    line.connection.data_received(reply(message.number, **change))  # type: ignore[arg-type]
    assert line.transport.is_aborted
    line.connection.connection_lost(None)
    with pytest.raises(WireLost):
        await answer


@pytest.mark.parametrize("other", [0, 1, -1])
async def test_an_answer_to_something_else_is_none(line: Line, other: int) -> None:
    """Rows of one request never become those of another."""
    message, answer = line.ask()
    line.connection.data_received(reply(message.number + other if other else 0))
    assert line.transport.is_aborted
    assert not answer.done()
    assert line.freed == []


@pytest.mark.parametrize("length", [-1, 0, HEADER.size - 1, LARGEST + 1])
async def test_a_length_that_cannot_be_ends_the_connection(line: Line, length: int) -> None:
    """Before anything of it is gathered."""
    message, answer = line.ask()
    line.connection.data_received(HEADER.pack(length, 7, message.number, OP_MSG, 0, 0))
    assert line.transport.is_aborted
    assert not answer.done()


async def test_more_than_the_answer_ends_the_connection(line: Line) -> None:
    """One command, one answer."""
    message, answer = line.ask()
    line.connection.data_received(reply(message.number) + b"x")
    assert line.transport.is_aborted
    assert not answer.done()


@pytest.mark.parametrize("is_first", [True, False])
async def test_what_comes_unasked_ends_the_connection(line: Line, is_first: bool) -> None:
    """Before anything was asked, and an answer that comes twice."""
    message = Message({}, OPTIONS)
    if not is_first:
        message, _ = line.ask()
        line.connection.data_received(reply(message.number))
        assert not line.transport.is_aborted
    line.connection.data_received(reply(message.number if not is_first else 0))
    assert line.transport.is_aborted


async def test_who_has_gone_leaves_the_connection_to_the_next(line: Line) -> None:
    """Their answer is waited for, and thrown away."""
    message, answer = line.ask()
    answer.cancel()
    assert line.freed == []
    line.connection.data_received(reply(message.number))
    assert line.freed == [line.connection]
    message, answer = line.ask()
    line.connection.data_received(reply(message.number))
    assert answer.done()


async def test_a_lost_connection_says_so_to_who_waits(line: Line) -> None:
    """And to whoever keeps it, once."""
    _, answer = line.ask()
    line.connection.connection_lost(ConnectionResetError())
    with pytest.raises(WireLost):
        await answer
    assert line.gone == [line.connection]
    assert line.connection.ended.is_set()


async def test_one_that_is_ending_takes_nothing(line: Line) -> None:
    """It may be over before the event loop says so; its keeper knows at once where it was let go of here."""
    line.connection.abort()
    assert line.gone == [line.connection]
    _, answer = line.ask()
    with pytest.raises(WireLost):
        await answer
    assert line.transport.written == []


async def test_one_that_is_silent_ends(line: Line) -> None:
    """After its time, whoever waits; one that has answered has no time to keep."""
    line.connection = WireConnection(line.transport, line, 0.01)
    message, _ = line.ask()
    line.connection.data_received(reply(message.number))
    await asyncio.sleep(0.03)
    assert not line.transport.is_aborted
    _, answer = line.ask()
    answer.cancel()
    await asyncio.sleep(0.03)
    assert line.transport.is_aborted


def test_a_command_that_is_too_large_is_not_sent() -> None:
    """The driver says so, and no connection is lost by it."""
    with pytest.raises(WireLost):
        Message({"find": "x" * LARGEST_COMMAND}, OPTIONS)


async def test_one_that_is_retired_answers_what_is_under_way(line: Line) -> None:
    """And goes then; one that is free goes now."""
    idle = Line()
    idle.connection.retire()
    assert idle.transport.is_aborted
    message, answer = line.ask()
    line.connection.retire()
    assert [line.transport.is_aborted, answer.done()] == [False, False]
    line.connection.data_received(reply(message.number))
    assert [line.transport.is_aborted, answer.done()] == [True, True]
    assert line.freed == []
