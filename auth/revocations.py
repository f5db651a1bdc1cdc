"""What no longer holds before its time: sessions, people and clients, known to every worker within a second.

Each worker keeps the recent revocations in memory and fetches new ones twice a second, so that the check
of a request does no I/O. When the last good fetch is older than a second, checks wait for one (shared
by all who wait), and fail when the database does not answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

import structlog

from auth.tokens import LEEWAY, MAX_LIFETIME
from models.base import now as utc_now
from models.database import Database
from models.errors import Conflict, FieldwardError
from models.recent import Recent
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
        self._read_up_to: datetime | None = None
        self._recent = Recent(self._fetch, name="revocations", interval=INTERVAL, missed=_not_fetched)

    async def start(self) -> None:
        """Begin to fetch in the background. Without it every check older than a second fetches."""
        await self._recent.start()

    async def stop(self) -> None:
        """End the background work."""
        await self._recent.stop()

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
        await self._recent.within(MAX_AGE)
        return any(issued_at <= self._revoked[each] for each in ids if each in self._revoked)

    def issuing_time(self, now: datetime, *ids: str) -> datetime:
        """`now`, or just after a revocation of the same moment, so that a new token is not caught by it.

        Ask before reading what the token will say: what is revoked after that read must catch it.
        """
        latest = max((self._revoked[each] for each in ids if each in self._revoked), default=None)
        return latest + _MILLISECOND if latest is not None and now <= latest < now + LEEWAY else now

    async def _fetch(self) -> None:
        now = self._clock()
        since = (self._read_up_to or now - KEPT) - OVERLAP
        for row in await self._database.find(RevocationDocument, {"at": {"$gte": since}}):
            self._remember(row["_id"], row["at"])
        self._read_up_to = now
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


def _not_fetched(error: FieldwardError) -> None:
    structlog.get_logger(__name__).warning("revocations_not_fetched", code=error.code)
