"""What one worker knows of a region's keys: which there are, that the provider opens them, and whose were destroyed.

Twice a second the state of the region and the latest tombstones are fetched. When the last good fetch is older than a
second, whoever needs a key waits for one, and fails when the key store does not answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

import structlog

from models.base import now as utc_now
from models.crypto.roots import RootKeyMissing, RootKeys, RootKeysUnavailable
from models.database import Database
from models.errors import ConfigurationError, DatabaseUnavailable, FieldwardError
from models.keystore.cache import KeyCache
from models.keystore.documents import KeyDocument, StateDocument, TombstoneDocument
from models.keystore.ring import Ring, unwrapped_ring
from models.recent import Recent

MAX_AGE: Final = 1.0  # seconds that a worker may lag behind
INTERVAL: Final = 0.5  # seconds between two fetches
LATE: Final = 3.0  # seconds without a good fetch after which this is not ready
CHECKED: Final = 15.0  # seconds between two looks whether the provider answers
RENEWED: Final = 300.0  # seconds after which the provider is asked for the root key's work anew
LAPSED: Final = 900.0  # seconds after which nothing is opened with keys that the provider did not confirm
OVERLAP: Final = timedelta(seconds=10)  # clocks that differ, and writes that take long to be acknowledged


class KeysUnavailable(DatabaseUnavailable):
    """Keys cannot be had now, so nothing personal is written or shown."""

    def __init__(self) -> None:
        super().__init__("The keys of personal data cannot be reached. Try again shortly.")


class RegionKeys:
    """The keys of `region` in the key store `database`, which `roots` unwraps.

    From `cache` goes whose key was destroyed, and everybody when keys have changed. `chores` is called after each
    round of looking.
    """

    def __init__(
        self,
        database: Database,
        roots: RootKeys,
        region: str,
        cache: KeyCache,
        chores: Callable[[], Awaitable[None]],
        *,
        clock: Callable[[], datetime] = utc_now,
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self._database, self._roots, self._region = database, roots, region
        self._cache, self._chores, self._clock, self._seconds = cache, chores, clock, seconds
        self._ring: Ring | None = None
        self.state = StateDocument(id=region, epoch=0)
        self._confirmed_at = float("-inf")  # when the provider last unwrapped the ring
        self._read_up_to: datetime | None = None
        self._recent = Recent(
            self._fetch,
            name="keys",
            interval=INTERVAL,
            missed=_not_fetched,
            afterwards=self._afterwards,
            seconds=seconds,
        )
        self._provider_answers = True
        self._looked_at = float("-inf")

    async def start(self) -> None:
        """Load the keys, and begin to look for changes in the background. Raises as `Keys.start` does."""
        await self.refresh()
        await self._recent.start()

    async def stop(self) -> None:
        """End the background work, and forget all keys."""
        await self._recent.stop()
        self._ring = None
        self._cache.clear()

    @property
    def answers(self) -> bool:
        """Whether the key store answered lately, and the provider of root keys when it was last asked."""
        return self._provider_answers and self._recent.is_within(LATE)

    @property
    def current(self) -> bool:
        """Whether what is known here is of the last second, and the provider has confirmed it."""
        return self._recent.is_within(MAX_AGE) and self._confirmed_at >= self._seconds() - LAPSED

    async def ring(self) -> Ring:
        """The keys of the region as they are now. Raises `KeysUnavailable`."""
        try:
            await self._recent.within(MAX_AGE)
        except FieldwardError:
            raise KeysUnavailable from None
        if self._ring is None or self._confirmed_at < self._seconds() - LAPSED:
            raise KeysUnavailable
        return self._ring

    async def reload(self) -> Ring:
        """The same, fetched; if that was a moment ago, only if keys have changed since. Raises `KeysUnavailable`."""
        try:
            await (self.refresh() if self._confirmed_at > self._seconds() - MAX_AGE else self._load())
        except (DatabaseUnavailable, RootKeysUnavailable, RootKeyMissing):
            raise KeysUnavailable from None
        return await self.ring()

    async def refresh(self) -> None:
        """Fetch what has changed up to now."""
        await self._recent.anew()

    async def _afterwards(self) -> bool:
        await self._renew()
        await self._chores()
        return self._provider_answers  # it is not looked at each time: silence is no answer

    async def _fetch(self) -> None:
        now = self._clock()
        row = await self._database.find_one(StateDocument, {"_id": self._region})
        if row is None:
            raise ConfigurationError(
                f"The key store has no keys for the region {self._region}. Run: fieldward database migrate"
            )
        if row["epoch"] != self.state.epoch or self._ring is None:
            await self._load()
            self._cache.clear()
        self.state = StateDocument.model_validate(row)
        since = (self._read_up_to or now) - OVERLAP
        gone = await self._database.find(TombstoneDocument, {"at": {"$gte": since}}, projection={"_id": 1})
        for each in gone:
            self._cache.drop(each["_id"])
        self._read_up_to = now

    async def _load(self) -> None:
        began = self._seconds()
        rows = await self._database.find(KeyDocument, {"region": self._region})
        if not rows:
            raise ConfigurationError(f"The key store has lost the keys of the region {self._region}.")
        try:
            ring = await unwrapped_ring(self._region, rows, self._roots)
        except (RootKeysUnavailable, RootKeyMissing):
            self._provider_answers = False
            raise
        except (KeyError, TypeError, ValueError):
            ring = None
        if ring is None:  # outside of the handler: what is wrong with a row may be shown by its error
            raise ConfigurationError(f"A key of the region {self._region} is damaged in the key store.")
        self._ring, self._confirmed_at, self._provider_answers = ring, began, True

    async def _renew(self) -> None:
        """Look whether the provider answers; now and then, whether it still unwraps: keys that it does not are not
        used much longer."""
        if self._looked_at > self._seconds() - CHECKED:
            return
        self._looked_at = self._seconds()
        try:
            if self._confirmed_at < self._seconds() - RENEWED:
                await self._load()
            else:
                await self._roots.versions()
        except RootKeysUnavailable:
            self._provider_answers = False
            raise
        self._provider_answers = True


def _not_fetched(error: FieldwardError) -> None:
    structlog.get_logger(__name__).warning("keys_not_fetched", code=error.code, reason=error.message)
