"""What changes elsewhere and must be known here within moments: fetched again and again, waited for where it is old.

All who wait share one fetch, so that a check of each request costs no I/O as long as the last fetch is fresh.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic

from models.errors import FieldwardError


async def _nothing() -> bool:
    return True


class Recent:
    """Calls `fetch`, every `interval` seconds once it was started. `as_of` is the moment, on the clock `seconds`,
    before which all that changed is known here.

    After each good fetch `afterwards` is called, which tells whether all is well. When a round fails `missed` is told
    why, once until all is well again.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[None]],
        *,
        name: str,
        interval: float,
        missed: Callable[[FieldwardError], None],
        afterwards: Callable[[], Awaitable[bool]] = _nothing,
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self._fetch, self._name, self._interval = fetch, name, interval
        self._missed, self._afterwards, self._seconds = missed, afterwards, seconds
        self.as_of = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self._polling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to fetch in the background. Without it whoever asks for what is recent fetches."""
        self._polling = asyncio.create_task(self._poll(), name=self._name)

    async def stop(self) -> None:
        """End the background work."""
        for task in (self._polling, self._fetching):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError, FieldwardError):
                    await task
        self._polling = self._fetching = None

    def is_within(self, age: float) -> bool:
        """Whether all that changed up to `age` seconds ago is known."""
        return self.as_of >= self._seconds() - age

    async def within(self, age: float) -> None:
        """Wait until all that changed up to `age` seconds before this call is known. Raises what `fetch` raises."""
        wanted = self._seconds() - age
        while self.as_of < wanted:
            await self._together()

    async def anew(self) -> None:
        """Fetch what has changed up to now. A fetch that is under way may have seen less: it is waited for."""
        if self._fetching is not None and not self._fetching.done():
            with suppress(FieldwardError):
                await asyncio.shield(self._fetching)
        await self._together()

    async def _together(self) -> None:
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._once(), name=f"{self._name}: fetch")
            self._fetching.add_done_callback(_seen)
        # Shielded: one caller that gives up must not take the answer from the others.
        await asyncio.shield(self._fetching)

    async def _once(self) -> None:
        began = self._seconds()
        await self._fetch()
        self.as_of = began

    async def _poll(self) -> None:
        well = True
        while True:
            try:
                await self._together()
                well = await self._afterwards()
            except FieldwardError as error:
                if well:
                    self._missed(error)
                well = False
            await asyncio.sleep(self._interval)


def _seen(fetch: asyncio.Task[None]) -> None:
    """Take note of a failure that nobody waits for any more; those who wait get it themselves."""
    if not fetch.cancelled():
        fetch.exception()
