"""What no longer holds before its time: sessions, people and clients, known to every worker within a second.

Each worker keeps the recent revocations in memory and fetches new ones twice a second, so that the check
of a request does no I/O. When the last good fetch is older than a second, checks wait for one (shared
by all who wait), and fail when the database does not answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

import structlog

from auth.tokens import LEEWAY, MAX_LIFETIME
from models.base import now as utc_now
from models.database import Database
from models.errors import Conflict, FieldwardError
from models.session import RevocationDocument

MAX_AGE: Final = 1.0  # seconds that a worker may lag behind
INTERVAL: Final = 0.5  # seconds between two fetches
# Covers clocks that differ and writes that take long to be acknowledged.
OVERLAP: Final = timedelta(seconds=10)
KEPT: Final = MAX_LIFETIME + LEEWAY + OVERLAP
_MILLISECOND: Final = timedelta(milliseconds=1)


class Revocations:
    """One worker's view of the revocations in `database`."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._database, self._clock = database, clock
        self._revoked: dict[str, datetime] = {}
        self._as_of = float("-inf")  # monotonic: what was revoked before this moment is known here
        self._read_up_to: datetime | None = None
        self._fetching: asyncio.Task[None] | None = None
        self._polling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to fetch in the background. Without it every check older than a second fetches."""
        self._polling = asyncio.create_task(self._poll(), name="revocations")

    async def stop(self) -> None:
        """End the background work."""
        for task in (self._polling, self._fetching):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError, FieldwardError):
                    await task
        self._polling = self._fetching = None

    async def revoke(self, *ids: str, not_before: datetime | None = None) -> None:
        """End all tokens issued so far to these people, clients or sessions, or one by its own id; on return
        it is durable. `not_before` is when that one was issued, which may be a moment ahead of this clock.

        Call it after the change that makes them wrong (roles, status, password) is committed: a token
        issued from the older data was issued before this moment.
        """
        at = self._clock() if not_before is None else max(self._clock(), not_before)
        for identifier in ids:
            await self._store(identifier, {"$max": {"at": at, "expires_at": at + KEPT}})
            self._remember(identifier, at)

    async def is_revoked(self, ids: Iterable[str], issued_at: datetime) -> bool:
        """Whether a token issued at `issued_at` for any of `ids` is over.

        Raises `DatabaseUnavailable` when that cannot be known.
        """
        asked = monotonic()
        while self._as_of < asked - MAX_AGE:
            await self._fetch_together()
        return any(issued_at <= self._revoked[each] for each in ids if each in self._revoked)

    def issuing_time(self, now: datetime, *ids: str) -> datetime:
        """`now`, or just after a revocation of the same moment, so that a new token is not caught by it.

        Ask before reading what the token will say: what is revoked after that read must catch it.
        """
        latest = max((self._revoked[each] for each in ids if each in self._revoked), default=None)
        return latest + _MILLISECOND if latest is not None and now <= latest < now + LEEWAY else now

    async def _poll(self) -> None:
        log = structlog.get_logger(__name__)
        reachable = True
        while True:
            try:
                await self._fetch_together()
                reachable = True
            except FieldwardError as error:
                if reachable:
                    log.warning("revocations_not_fetched", code=error.code)
                reachable = False
            await asyncio.sleep(INTERVAL)

    async def _fetch_together(self) -> None:
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetch(), name="revocations fetch")
            self._fetching.add_done_callback(_seen)
        # Shielded: one caller that gives up must not take the answer from the others.
        await asyncio.shield(self._fetching)

    async def _fetch(self) -> None:
        began, now = monotonic(), self._clock()
        since = (self._read_up_to or now - KEPT) - OVERLAP
        for row in await self._database.find(RevocationDocument, {"at": {"$gte": since}}):
            self._remember(row["_id"], row["at"])
        self._as_of, self._read_up_to = began, now
        self._forget(now)

    def _remember(self, identifier: str, at: datetime) -> None:
        known = self._revoked.get(identifier)
        self._revoked[identifier] = at if known is None else max(at, known)

    def _forget(self, now: datetime) -> None:
        over = [each for each, at in self._revoked.items() if at + KEPT < now]
        for each in over:
            del self._revoked[each]

    async def _store(self, identifier: str, update: dict[str, dict[str, datetime]]) -> None:
        try:
            await self._database.update_one(RevocationDocument, {"_id": identifier}, update, upsert=True)
        except Conflict:  # two first revocations at once: the other made the row
            await self._database.update_one(RevocationDocument, {"_id": identifier}, update)


def _seen(fetch: asyncio.Task[None]) -> None:
    """Take note of a failure that nobody waits for any more; those who wait get it themselves."""
    if not fetch.cancelled():
        fetch.exception()
