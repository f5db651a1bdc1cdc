"""A server that does nothing but answer, to find out how much the load generator itself can do."""

from __future__ import annotations

import asyncio
import os
from typing import Final, cast

import uvloop

_SMALL, _LARGE = 300, 25_000  # bytes: about one person, and about a hundred
_LISTS: Final = b"users("


def _answer(size: int) -> bytes:
    body = b'{"data":"' + b"x" * size + b'"}'
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


class _Answers(asyncio.Protocol):
    small, large = _answer(_SMALL), _answer(_LARGE)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        # A request of the benchmark is small enough to come in one piece; a stray piece would be answered too.
        self._transport.write(self.large if _LISTS in data else self.small)


async def main() -> None:
    """Answer until told to stop."""
    server = await asyncio.get_running_loop().create_server(_Answers, "127.0.0.1", int(os.environ["PORT"]))
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
