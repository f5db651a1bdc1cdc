"""The load generator: what it counts, and what it refuses to count."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from bench.load import BadAnswer, Tape, body_of, measure, percentile, reading_of

GOOD = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"data": 12}'
CHUNKED = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"dat\r\n7\r\na": 12}\r\n0\r\n\r\n'
REQUEST = b"POST /graphql HTTP/1.1\r\n\r\n"


class Pieces(asyncio.Protocol):
    """Answers every request in pieces, each sent by itself."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, _data: bytes) -> None:
        for number, piece in enumerate(self.pieces):
            asyncio.get_running_loop().call_later(number / 1000, self.transport.write, piece)


async def read_from(*pieces: bytes, answers: int = 20) -> list[bytes]:
    """The bodies kept from a short measurement of a server that answers in these pieces."""
    server = await asyncio.get_running_loop().create_server(lambda: Pieces(*pieces), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        reading = await measure(port, [REQUEST], 2, 0.0, answers=answers)
    assert reading.answers >= answers
    return [body for _, body in reading.kept]


def test_a_percentile_is_the_nearest_rank() -> None:
    """Of a hundred values the 99th percentile is the last but none above it."""
    values = [float(number) for number in range(1, 101)]
    assert (percentile(values, 0.5), percentile(values, 0.99)) == (51.0, 100.0)
    assert percentile([7.0], 0.99) == 7.0


def test_what_comes_before_every_connection_had_an_answer_does_not_count() -> None:
    """With two connections the first two answers only start the clock."""
    tape = Tape(finished=[1.0, 2.0, 3.0, 4.0], latencies=[9.0, 9.0, 0.001, 0.003])
    reading = reading_of(tape, concurrency=2, until=10.0)
    assert reading.rate == pytest.approx(1.0)
    assert (reading.p50, reading.p99) == (3.0, 3.0)


def test_what_comes_after_the_end_does_not_count() -> None:
    """Answers to what was under way at the end are no part of the measurement."""
    tape = Tape(finished=[1.0, 2.0, 3.0, 30.0], latencies=[0.1] * 4)
    assert reading_of(tape, concurrency=1, until=3.5).rate == pytest.approx(1.0)


def test_too_few_answers_are_no_measurement() -> None:
    """One answer says nothing about a rate."""
    with pytest.raises(BadAnswer):
        reading_of(Tape(finished=[1.0], latencies=[0.1]), concurrency=1, until=2.0)


def test_chunks_are_joined() -> None:
    """A body is the same however it was sent."""
    assert body_of(CHUNKED) == body_of(GOOD) == b'{"data": 12}'


@pytest.mark.parametrize(
    "pieces",
    [(GOOD,), (GOOD[:20], GOOD[20:]), (GOOD[:45], GOOD[45:]), (CHUNKED,), (CHUNKED[:60], CHUNKED[60:])],
    ids=["whole", "head in pieces", "body in pieces", "chunked", "chunks in pieces"],
)
async def test_an_answer_counts_however_it_arrives(pieces: tuple[bytes, ...]) -> None:
    """Whole, in pieces, with a length or in chunks."""
    assert set(await read_from(*pieces)) == {b'{"data": 12}'}


async def test_another_status_ends_the_measurement() -> None:
    """A server that fails is not measured as a fast one."""
    with pytest.raises(BadAnswer, match="500"):
        await read_from(GOOD.replace(b"200 OK", b"500 No"))
