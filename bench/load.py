"""The load generator: a closed loop over open connections, one request under way on each.

It does as little as it can, because it shares its core with MongoDB: requests are bytes made
beforehand, answers are only counted, and now and then one is kept to be compared afterwards.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final, cast

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding: *chunked\r\n", re.IGNORECASE)
_LAST_CHUNK: Final = b"0\r\n\r\n"
_KEEP_EVERY: Final = 97  # a prime: does not fall into step with the requests


class BadAnswer(Exception):
    """A server answered with another status than 200, or with something that is no HTTP/1.1 answer."""


@dataclass(slots=True)
class Tape:
    """What was seen in one measurement.

    `finished` and `latencies` (seconds) are of every answer, in order; `kept` are whole answers as
    (index of the request, body).
    """

    finished: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    kept: list[tuple[int, bytes]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reading:
    """One measurement: answers per second, latencies in milliseconds, how many answers there were in all
    (those not counted included), and what was kept."""

    rate: float
    p50: float
    p99: float
    answers: int
    kept: tuple[tuple[int, bytes], ...]


class _Loop:
    """What the connections of one measurement share."""

    def __init__(self, requests: Sequence[bytes], start: int) -> None:
        self.requests = requests
        self.position = start
        self.tape = Tape()
        self.stopping = False
        self.open = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def fail(self, error: Exception) -> None:
        self.stopping = True
        if not self.done.done():
            self.done.set_exception(error)


class _Connection(asyncio.Protocol):
    """One open connection: sends, waits for the whole answer, sends the next."""

    def __init__(self, loop: _Loop) -> None:
        self._loop = loop
        self._chunks: list[bytes] = []
        self._missing = 0  # bytes of the body still to come; -1: chunked, ends with the last chunk
        self._index = 0
        self._sent = 0.0
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is none by inheritance
        self._loop.open += 1
        self._send()

    def _send(self) -> None:
        loop = self._loop
        self._index = loop.position % len(loop.requests)
        loop.position += 1
        self._sent = perf_counter()
        self._transport.write(loop.requests[self._index])

    def data_received(self, data: bytes) -> None:
        if not self._missing:
            if self._chunks:  # the head came in pieces
                data = b"".join([*self._chunks, data])
                self._chunks.clear()
            if not self._begin(data):
                return
        elif self._missing > 0:
            self._missing -= len(data)
            self._chunks.append(data)
        else:
            self._chunks.append(data)
            if data.endswith(_LAST_CHUNK):
                self._missing = 0
        if not self._missing:
            self._end()

    def _begin(self, data: bytes) -> bool:
        """Read the head of an answer; whether it was there in full."""
        self._chunks.append(data)
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = data[: end + 2]
        if not head.startswith(b"HTTP/1.1 200"):
            self._loop.fail(BadAnswer(data[:600].decode(errors="replace")))
            self._transport.abort()
            return False
        length = _LENGTH.search(head)
        if length is not None:
            self._missing = int(length[1]) - (len(data) - end - 4)
        elif _CHUNKED.search(head):
            self._missing = 0 if data.endswith(_LAST_CHUNK) else -1
        else:
            self._loop.fail(BadAnswer("an answer without a length"))
        return True

    def _end(self) -> None:
        now = perf_counter()
        loop, tape = self._loop, self._loop.tape
        tape.finished.append(now)
        tape.latencies.append(now - self._sent)
        if len(tape.finished) % _KEEP_EVERY == 1:
            tape.kept.append((self._index, body_of(b"".join(self._chunks))))
        self._chunks.clear()
        if loop.stopping:
            self._transport.close()
        else:
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        loop = self._loop
        loop.open -= 1
        if not loop.stopping:
            loop.fail(BadAnswer(f"the server closed a connection: {error}"))
        elif not loop.open and not loop.done.done():
            loop.done.set_result(None)


def body_of(answer: bytes) -> bytes:
    """The body of a whole HTTP/1.1 answer, chunks joined."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if not _CHUNKED.search(head + b"\r\n"):
        return body
    parts = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        parts.append(rest[:length])
        body = rest[length + 2 :] if length else b""
    return b"".join(parts)


async def measure(
    port: int,
    requests: Sequence[bytes],
    concurrency: int,
    seconds: float,
    *,
    start: int = 0,
    longest: float = 8.0,
    answers: int = 0,
) -> Reading:
    """Send `requests` in a circle from index `start` on for about `seconds`, `concurrency` at a time.

    What comes before every connection has had an answer is not counted; a slow server gets more time,
    at most `longest`, until there are three answers for each connection, and `answers` in all. Raises
    `BadAnswer`.
    """
    loop = _Loop(requests, start)
    running = asyncio.get_running_loop()
    connections = [
        await running.create_connection(lambda: _Connection(loop), "127.0.0.1", port) for _ in range(concurrency)
    ]
    began = perf_counter()
    while not loop.done.done():
        elapsed = perf_counter() - began
        if elapsed >= longest or (elapsed >= seconds and len(loop.tape.finished) >= max(3 * concurrency, answers)):
            break
        await asyncio.sleep(0.02)
    until = perf_counter()
    loop.stopping = True
    try:
        await asyncio.wait_for(loop.done, 30)
    finally:
        for transport, _ in connections:
            transport.abort()
    return reading_of(loop.tape, concurrency, until)


def reading_of(tape: Tape, concurrency: int, until: float) -> Reading:
    """What a tape says: from the answer after the first of each connection, to the moment `until`."""
    counted = [
        (at, took)
        for at, took in zip(tape.finished[concurrency - 1 :], tape.latencies[concurrency - 1 :], strict=True)
        if at <= until
    ]
    if len(counted) < 2:
        raise BadAnswer("too few answers to measure")
    latencies = sorted(took * 1000 for _, took in counted[1:])
    seconds = counted[-1][0] - counted[0][0]
    return Reading(
        rate=len(latencies) / seconds,
        p50=percentile(latencies, 0.5),
        p99=percentile(latencies, 0.99),
        answers=len(tape.finished),
        kept=tuple(tape.kept),
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` of the `ordered` values lie (nearest rank)."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
