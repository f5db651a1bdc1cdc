"""One worker's view of the key store: people's data keys for a minute at most, and what became of keys within a second.

Twice a second the state of the region and the latest tombstones are fetched, so that opening a page costs no query
for keys that are known, and a destroyed key is forgotten by every worker within a second. When the last good fetch
is older than that, whoever needs a key waits for one, and fails when the key store does not answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

import structlog

from models.base import now as utc_now
from models.crypto.blind_index import BlindIndex
from models.crypto.envelope import DataKeys
from models.crypto.roots import RootKeyMissing, RootKeys, RootKeysUnavailable
from models.database import Database, Raw
from models.errors import ConfigurationError, Conflict, DatabaseUnavailable, FieldwardError
from models.keystore.documents import DataKeyDocument, KeyDocument, StateDocument, TombstoneDocument
from models.keystore.journal import Journal
from models.keystore.ring import Ring, UnknownKey, unwrapped_ring

MAX_AGE: Final = 1.0  # seconds that a worker may lag behind
INTERVAL: Final = 0.5  # seconds between two fetches
KEPT: Final = 60.0  # seconds that a person's key is kept
MOST: Final = 20_000  # people whose keys are kept; about 1.2 kB each
LATE: Final = 3.0  # seconds without a good fetch after which this is not ready
CHECKED: Final = 15.0  # seconds between two looks whether the provider answers
RENEWED: Final = 300.0  # seconds after which the provider is asked for the root key's work anew
LAPSED: Final = 900.0  # seconds after which nothing is opened with keys that the provider did not confirm
OVERLAP: Final = timedelta(seconds=10)  # clocks that differ, and writes that take long to be acknowledged


class KeysUnavailable(DatabaseUnavailable):
    """Keys cannot be had now, so nothing personal is written or shown."""

    def __init__(self) -> None:
        super().__init__("The keys of personal data cannot be reached. Try again shortly.")


class Keys:
    """The keys of `region` in the key store `database`, whose key-encryption keys `roots` unwraps."""

    def __init__(
        self,
        database: Database,
        roots: RootKeys,
        region: str,
        *,
        journal: Journal | None = None,
        clock: Callable[[], datetime] = utc_now,
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self.database, self.roots, self.region = database, roots, region
        self._journal, self._clock, self._seconds = journal, clock, seconds
        self._leaving: set[str] = set()  # whose keys are still to be destroyed
        self._ring: Ring | None = None
        self._state = StateDocument(id=region, epoch=0)
        self._confirmed_at = float("-inf")  # when the provider last unwrapped the ring
        self._as_of = float("-inf")  # what was destroyed or changed before this moment is known here
        self._read_up_to: datetime | None = None
        self._cache: dict[str, tuple[float, DataKeys]] = {}
        self._fetching: asyncio.Task[None] | None = None
        self._polling: asyncio.Task[None] | None = None
        self._provider_answers = True
        self._looked_at = float("-inf")

    async def start(self) -> None:
        """Load the keys of the region, and begin to look for changes in the background.

        Raises `ConfigurationError` where there are none yet, `RootKeysUnavailable` and `RootKeyMissing` when the
        provider does not open them, `DatabaseUnavailable` when the key store does not answer.
        """
        await self._fetch_together()
        self._polling = asyncio.create_task(self._poll(), name="keys")

    async def stop(self) -> None:
        """End the background work, and forget all keys."""
        for task in (self._polling, self._fetching):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError, FieldwardError):
                    await task
        self._polling = self._fetching = self._ring = None
        self._cache.clear()

    async def refresh(self) -> None:
        """Fetch what has changed, at once."""
        await self._fetch_together()

    @property
    def answers(self) -> bool:
        """Whether the key store answered lately, and the provider of root keys when it was last asked."""
        return self._provider_answers and self._as_of > self._seconds() - LATE

    @property
    def sealed(self) -> bool:
        """Whether no value is left in the clear (`StateDocument`)."""
        return self._state.sealed

    async def ring(self) -> Ring:
        """The keys of the region as they are now. Raises `KeysUnavailable`."""
        await self._know()
        if self._ring is None or self._confirmed_at < self._seconds() - LAPSED:
            raise KeysUnavailable
        return self._ring

    async def index(self, collection: str, path: str, normalise: Callable[[str], str]) -> BlindIndex:
        """The blind index of one field."""
        return (await self.ring()).index(collection, path, normalise)

    def known(self, people: Sequence[str]) -> Mapping[str, DataKeys] | None:
        """The keys of `people` if all are at hand, without asking anybody."""
        now = self._seconds()
        if self._as_of < now - MAX_AGE:
            return None
        found: dict[str, DataKeys] = {}
        for person in people:
            kept = self._cache.get(person)
            if kept is None or kept[0] < now:
                return None
            found[person] = kept[1]
        return found

    async def of(self, people: Sequence[str], *, anew: bool = False) -> Mapping[str, DataKeys]:
        """The keys of `people`, by one query for those that are not at hand; who has none is left out.

        `anew`: none that was kept counts. Raises `KeysUnavailable`, `SealBroken`.
        """
        at_hand = None if anew else self.known(people)
        if at_hand is not None:
            return at_hand
        await self.ring()
        began, epoch = self._seconds(), self._state.epoch
        found: dict[str, DataKeys] = {}
        for person in people:
            kept = None if anew else self._cache.get(person)
            if kept is not None and kept[0] >= began:
                found[person] = kept[1]
        missing = [person for person in people if person not in found]
        for row in await self._rows(missing):
            found[row["_id"]] = keys = await self._unwrapped(row)
            self._keep(row["_id"], keys, began, epoch)
        return found

    async def make(self, people: Iterable[str]) -> frozenset[str]:
        """A data key for each of `people` who has none; for whom one was made. Raises `KeysUnavailable`."""
        ring, began, epoch = await self.ring(), self._seconds(), self._state.epoch
        made, rows = [], []
        for person in people:
            key, wrapped = ring.wraps(person, 1)
            made.append((person, key))
            rows.append(
                {
                    "_id": person,
                    "keys": [{"v": 1, "wrapped": wrapped}],
                    "newest_at": self._clock(),
                    "kek": ring.newest.version,
                }
            )
        taken = {place for place, _ in await self.database.insert_many(DataKeyDocument, rows)}
        for place, (person, key) in enumerate(made):
            if place not in taken:
                self._keep(person, DataKeys([key]), began, epoch)
        return frozenset(person for place, (person, _) in enumerate(made) if place not in taken)

    async def discard(self, people: Sequence[str]) -> None:
        """Remove keys that were made for people who were not stored after all: nothing was sealed that is kept."""
        if not people:
            return
        for person in people:
            self._cache.pop(person, None)
        await self.database.delete_many(DataKeyDocument, {"_id": {"$in": list(people)}})

    async def destroy(self, person: str) -> None:
        """Destroy a person's key for good: what was sealed with it opens no more, here and in backups.

        On return every worker forgets it within a second. Safe to call again. Raises `DatabaseUnavailable`.
        """
        at = self._clock()
        if self._journal is not None:
            await self._journal.add(person, at)
        with suppress(Conflict):
            await self.database.insert(TombstoneDocument(id=person, at=at))
        await self.database.delete_one(DataKeyDocument, {"_id": person})
        self._cache.pop(person, None)
        self._leaving.discard(person)

    async def destroy_soon(self, person: str) -> None:
        """As `destroy`, again and again where the key store is away; never raises for that."""
        try:
            await self.destroy(person)
        except FieldwardError as error:
            self._leaving.add(person)
            structlog.get_logger(__name__).warning("key_not_destroyed_yet", code=error.code)

    async def is_destroyed(self, people: Sequence[str]) -> frozenset[str]:
        """Those of `people` whose key was destroyed."""
        rows = await self.database.find(TombstoneDocument, {"_id": {"$in": list(people)}}, projection={"_id": 1})
        return frozenset(row["_id"] for row in rows)

    async def _rows(self, people: list[str]) -> list[Raw]:
        if not people:
            return []
        try:
            return await self.database.find(
                DataKeyDocument, {"_id": {"$in": people}}, projection={"keys": 1}, limit=len(people)
            )
        except DatabaseUnavailable:
            raise KeysUnavailable from None

    async def _unwrapped(self, row: Raw) -> DataKeys:
        ring = await self.ring()
        try:
            return ring.unwraps(row)
        except UnknownKey:
            pass
        try:  # wrapped by a key-encryption key that is newer than what was fetched last
            await self._load()
        except (DatabaseUnavailable, RootKeysUnavailable, RootKeyMissing):
            raise KeysUnavailable from None
        return (await self.ring()).unwraps(row)

    def _keep(self, person: str, keys: DataKeys, began: float, epoch: int) -> None:
        # NOTE: counted from before the query. A key that was destroyed meanwhile is dropped by the next fetch. What
        # was read before keys changed and comes after that was noticed is not kept: it may lack the newest version.
        if epoch != self._state.epoch:
            return
        self._cache.pop(person, None)
        self._cache[person] = began + KEPT, keys
        while len(self._cache) > MOST:
            del self._cache[next(iter(self._cache))]

    async def _know(self) -> None:
        asked = self._seconds()
        while self._as_of < asked - MAX_AGE:
            try:
                await self._fetch_together()
            except FieldwardError:
                raise KeysUnavailable from None

    async def _poll(self) -> None:
        log, reachable = structlog.get_logger(__name__), True
        while True:
            try:
                await self._fetch_together()
                await self._renew()
                for person in list(self._leaving):
                    await self.destroy(person)
                reachable = True
            except FieldwardError as error:
                if reachable:
                    log.warning("keys_not_fetched", code=error.code, reason=error.message)
                reachable = False
            await asyncio.sleep(INTERVAL)

    async def _fetch_together(self) -> None:
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetch(), name="keys fetch")
            self._fetching.add_done_callback(_seen)
        # Shielded: one caller that gives up must not take the answer from the others.
        await asyncio.shield(self._fetching)

    async def _fetch(self) -> None:
        began, now = self._seconds(), self._clock()
        row = await self.database.find_one(StateDocument, {"_id": self.region})
        if row is None:
            raise ConfigurationError(
                f"The key store has no keys for the region {self.region}. Run: fieldward database migrate"
            )
        if row["epoch"] != self._state.epoch or self._ring is None:
            await self._load()
            self._cache.clear()
        self._state = StateDocument.model_validate(row)
        since = (self._read_up_to or now) - OVERLAP
        gone = await self.database.find(TombstoneDocument, {"at": {"$gte": since}}, projection={"_id": 1})
        for each in gone:
            self._cache.pop(each["_id"], None)
        self._as_of, self._read_up_to = began, now

    async def _load(self) -> None:
        began = self._seconds()
        rows = await self.database.find(KeyDocument, {"region": self.region})
        if not rows:
            raise ConfigurationError(f"The key store has lost the keys of the region {self.region}.")
        try:
            self._ring = await unwrapped_ring(self.region, rows, self.roots)
        except (RootKeysUnavailable, RootKeyMissing):
            self._provider_answers = False
            raise
        self._confirmed_at, self._provider_answers = began, True

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
                await self.roots.versions()
        except RootKeysUnavailable:
            self._provider_answers = False
            raise
        self._provider_answers = True


def _seen(fetch: asyncio.Task[None]) -> None:
    """Take note of a failure that nobody waits for any more; those who wait get it themselves."""
    if not fetch.cancelled():
        fetch.exception()
