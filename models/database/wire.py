"""One connection to MongoDB, asked one command at a time, in its wire protocol: `OP_MSG` with one document.

As https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/ has it, a message is, in bytes, numbers
little-endian:

    4   length, all of this included
    4   number of the message
    4   number of the message that it answers
    4   kind, 2013
    4   flags: a checksum, more to come; neither is asked for
    1   kind of what follows, 0: one document
    n   the document, in BSON
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import count
from struct import Struct
from typing import Any, Final, Protocol

import bson
from bson.codec_options import CodecOptions

from models.database.sealing import Raw

Content = bytes | bytearray
Answer = asyncio.Future[tuple[Content, "WireConnection"]]

LARGEST: Final = 48_000_000  # bytes; `maxMessageSizeBytes` of every server
LARGEST_COMMAND: Final = (1 << 24) + (1 << 14)  # bytes; `maxBsonObjectSize`, and what servers let a command have more
HEADER: Final = Struct("<iiiiIB")
OP_MSG: Final = 2013
_EXPECTED: Final = (OP_MSG, 0, 0)  # no flags, one document
_NUMBERS: Final = 1 << 31  # they are signed
_numbers: Final = count(1)


class WireLost(Exception):
    """There is no connection, or what came by it is no answer."""


class Message:
    """A command ready to be sent. Raises `WireLost` for one that is too large."""

    __slots__ = ("content", "number")

    def __init__(self, command: Mapping[str, Any], options: CodecOptions[Raw]) -> None:
        body = bson.encode(command, codec_options=options)
        if len(body) > LARGEST_COMMAND:
            raise WireLost
        self.number = next(_numbers) % _NUMBERS
        self.content = HEADER.pack(HEADER.size + len(body), self.number, 0, *_EXPECTED) + body


def document_of(content: Content, options: CodecOptions[Raw]) -> Raw:
    """The document of a message that a `WireConnection` took for an answer."""
    return bson.decode(memoryview(content)[HEADER.size :], options)


class Keeper(Protocol):
    """Who keeps connections."""

    def free(self, connection: WireConnection) -> None:
        """The next command may be sent by it."""
        ...

    def lost(self, connection: WireConnection) -> None:
        """None ever may."""
        ...


class WireConnection(asyncio.Protocol):
    """Sends commands by `transport`, on which somebody has signed in already. It ends when one is not answered within
    `seconds`; `ended` is set then."""

    def __init__(self, transport: asyncio.Transport, keeper: Keeper, seconds: float) -> None:
        self._transport, self._keeper, self._seconds = transport, keeper, seconds
        self.ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._silent: asyncio.TimerHandle | None = None
        self._answer: Answer | None = None
        self._number = 0
        self._begun: bytearray | None = None
        self._is_retired = False

    def ask(self, message: Message, answer: Answer) -> None:
        """Send a command. `answer` gets the message that answers it and this connection, or `WireLost`, unless
        somebody has ended it."""
        if self._transport.is_closing():
            answer.set_exception(WireLost())  # the keeper will be told in a moment
            return
        self._answer, self._number = answer, message.number
        self._silent = self._loop.call_later(self._seconds, self.abort)
        self._transport.write(message.content)

    def retire(self) -> None:
        """Let go of the connection as soon as nothing is under way."""
        self._is_retired = True
        if self._answer is None:
            self.abort()

    def abort(self) -> None:
        """Let go of the connection, whatever is under way."""
        self._keeper.lost(self)  # now: that it ended is told in the next turn of the event loop
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Called by the event loop with the next bytes. Most answers come in one piece.

        What nobody asked for, and what is no answer to what was asked, ends the connection.
        """
        there: Content = data
        if self._begun is not None:
            self._begun += data
            there = self._begun
        if len(there) >= HEADER.size:
            length, _, answered, *kind = HEADER.unpack_from(there)
            is_expected = self._answer is not None and answered == self._number and tuple(kind) == _EXPECTED
            if not is_expected or not len(there) <= length <= LARGEST:
                self.abort()
                return
            if len(there) == length:
                self._begun = None
                self._end(there)
                return
        if self._begun is None:
            self._begun = bytearray(data)

    def connection_lost(self, _error: Exception | None) -> None:
        """Called by the event loop, once."""
        answer = self._settled()
        if answer is not None:
            answer.set_exception(WireLost())
        self._keeper.lost(self)
        self.ended.set()

    def _end(self, content: Content) -> None:
        answer = self._settled()
        if answer is not None:
            answer.set_result((content, self))
        if self._is_retired:
            self.abort()
        else:
            self._keeper.free(self)

    def _settled(self) -> Answer | None:
        """Nothing is under way any longer; the answer that somebody still waits for, if so."""
        answer, self._answer = self._answer, None
        if self._silent is not None:
            self._silent.cancel()
        return None if answer is None or answer.done() else answer
