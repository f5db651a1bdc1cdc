"""Look-ups by identifier that wait for the database at the same moment go there together.

While a query of one kind is under way, those that come meanwhile gather and leave as one. A kind is
one prepared reading under one grant, so that what is fetched together was granted alike, and no
request sees a field that was loaded for another. A value is fetched after it was asked for, never
before: nothing is kept once it was handed out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from functools import partial
from typing import Any, Final, Generic, TypeVar

from models.errors import DatabaseUnavailable, FieldwardError

K = TypeVar("K", bound=Hashable)

FLIGHTS: Final = 2  # queries of one kind under way at once: one answers while the next gathers
BATCH: Final = 100

Found = Mapping[str, dict[str, Any] | FieldwardError]
Fetch = Callable[[K, list[str]], Awaitable[Found]]
_Waiting = dict[str, list["asyncio.Future[dict[str, Any] | None]"]]
_NOTHING: Final[Found] = {}


class Coalescer(Generic[K]):
    """Gathers look-ups. `fetch` answers for many identifiers of one kind at once, with an error for a row that is
    nobody's fault but its own.

    It is run in a task that nobody cancels. Who waits is answered after `patience` seconds at the latest,
    by `DatabaseUnavailable`, whatever becomes of the query.
    """

    def __init__(self, fetch: Fetch[K], patience: float) -> None:
        self._fetch, self._patience = fetch, patience
        self._waiting: dict[K, _Waiting] = {}
        self._flying: dict[K, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def get(self, kind: K, identifier: str) -> dict[str, Any] | None:
        """The row of `identifier`, or None. Raises whatever the common query raised."""
        answer: asyncio.Future[dict[str, Any] | None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.get(kind)
        if waiting is None:
            waiting = self._waiting[kind] = {}
            self._depart(kind)
        waiting.setdefault(identifier, []).append(answer)
        return await answer

    def _depart(self, kind: K) -> None:
        """Begin a query of this kind, unless enough are under way: their return begins the next.

        It takes along what waits when its task has its first turn, not now: requests that were read from
        their sockets together leave together.
        """
        flying = self._flying.get(kind, 0)
        if flying < FLIGHTS:
            self._flying[kind] = flying + 1
            task = asyncio.get_running_loop().create_task(self._fly(kind))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _take(self, kind: K) -> _Waiting:
        """As many as go together; the others leave with the next query."""
        waiting = self._waiting.pop(kind, {})
        if len(waiting) > BATCH:
            self._waiting[kind] = {identifier: waiting.pop(identifier) for identifier in list(waiting)[BATCH:]}
            self._depart(kind)
        return waiting

    async def _fly(self, kind: K) -> None:
        waiting = self._take(kind)
        flight = _Flight(waiting, partial(self._land, kind))
        if not waiting:  # taken along by another one
            flight.end()
            return
        overdue = asyncio.get_running_loop().call_later(self._patience, flight.end, DatabaseUnavailable())
        try:
            found = await self._fetch(kind, list(waiting))
        except asyncio.CancelledError:
            flight.end(asyncio.CancelledError())
            raise
        except Exception as error:  # noqa: BLE001 - handed on to everybody who waits
            flight.end(error)
        else:
            flight.end(None, found)
        finally:
            overdue.cancel()

    def _land(self, kind: K) -> None:
        left = self._flying[kind] - 1
        if left:
            self._flying[kind] = left
        else:
            del self._flying[kind]
        if kind in self._waiting:
            self._depart(kind)


class _Flight:
    """One query under way, and who waits for it. `land` is called once, at its end."""

    def __init__(self, waiting: _Waiting, land: Callable[[], None]) -> None:
        self._waiting, self._land = waiting, land
        self._ended = False

    def end(self, failure: BaseException | None = None, found: Found = _NOTHING) -> None:
        """Answer everybody; what comes after the first end counts no more."""
        if self._ended:
            return
        self._ended = True
        self._land()
        for identifier, answers in self._waiting.items():
            for answer in answers:
                if answer.done():
                    continue  # whoever asked has gone
                row = found.get(identifier)
                if isinstance(row, FieldwardError):
                    answer.set_exception(row)
                elif failure is None:
                    answer.set_result(row)
                elif isinstance(failure, asyncio.CancelledError):
                    answer.cancel()
                else:
                    answer.set_exception(failure)
