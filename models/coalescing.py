"""Look-ups by identifier that wait for the database at the same moment go there together.

While a query of one kind is under way, those that come meanwhile gather and leave as one. A kind is
one prepared reading under one grant, so that what is fetched together was granted alike, and no
request sees a field that was loaded for another. A value is fetched after it was asked for, never
before: nothing is kept once it was handed out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Any, Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

FLIGHTS: Final = 2  # queries of one kind under way at once: one answers while the next gathers
BATCH: Final = 100

Fetch = Callable[[K, list[str]], Awaitable[Mapping[str, dict[str, Any]]]]
_Waiting = dict[str, list["asyncio.Future[dict[str, Any] | None]"]]


class Coalescer(Generic[K]):
    """Gathers look-ups. `fetch` answers for many identifiers of one kind at once."""

    def __init__(self, fetch: Fetch[K]) -> None:
        self._fetch = fetch
        self._waiting: dict[K, _Waiting] = {}
        self._flying: dict[K, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def get(self, kind: K, identifier: str) -> dict[str, Any] | None:
        """The row of `identifier`, or None. Raises whatever the common query raised."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[dict[str, Any] | None] = loop.create_future()
        waiting = self._waiting.get(kind)
        if waiting is None:
            waiting = self._waiting[kind] = {}
            # Not at once: requests that were read from their sockets together leave together.
            loop.call_soon(self._depart, kind)
        waiting.setdefault(identifier, []).append(answer)
        return await answer

    def _depart(self, kind: K) -> None:
        """Send off what waits, unless enough of this kind is under way: its return sends off the rest."""
        if self._flying.get(kind, 0) >= FLIGHTS:
            return
        waiting = self._waiting.pop(kind, None)
        if not waiting:
            return
        identifiers = list(waiting)
        if len(identifiers) > BATCH:
            self._waiting[kind] = {identifier: waiting.pop(identifier) for identifier in identifiers[BATCH:]}
        self._flying[kind] = self._flying.get(kind, 0) + 1
        task = asyncio.get_running_loop().create_task(self._fly(kind, waiting))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if kind in self._waiting:
            self._depart(kind)

    async def _fly(self, kind: K, waiting: _Waiting) -> None:
        failure: BaseException | None = None
        found: Mapping[str, dict[str, Any]] = {}
        try:
            found = await self._fetch(kind, list(waiting))
        except asyncio.CancelledError:
            failure = asyncio.CancelledError()
            raise
        except Exception as error:  # noqa: BLE001 - handed on to everybody who waits
            failure = error
        finally:
            self._land(kind)
            for identifier, answers in waiting.items():
                for answer in answers:
                    if answer.done():
                        continue  # whoever asked has gone
                    if failure is None:
                        answer.set_result(found.get(identifier))
                    elif isinstance(failure, asyncio.CancelledError):
                        answer.cancel()
                    else:
                        answer.set_exception(failure)

    def _land(self, kind: K) -> None:
        left = self._flying[kind] - 1
        if left:
            self._flying[kind] = left
        else:
            del self._flying[kind]
        if kind in self._waiting:
            self._depart(kind)
