"""One worker's view of the key store: people's data keys, made, kept at hand for a minute at most, and destroyed.

Opening a page costs no query for keys that are at hand. What became of keys is known within a second
(`models.keystore.region`): a destroyed one is forgotten by every worker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from time import monotonic

import structlog

from models.base import now as utc_now
from models.crypto.envelope import DataKeys, SealBroken
from models.crypto.roots import RootKeys
from models.database import Database, Raw
from models.database.query import any_of
from models.errors import Conflict, DatabaseUnavailable, FieldwardError
from models.keystore.cache import PROMPT, KeyCache
from models.keystore.documents import DataKeyDocument, TombstoneDocument
from models.keystore.journal import Journal
from models.keystore.region import KeysUnavailable, RegionKeys
from models.keystore.ring import Ring, UnknownKey


class Keys:
    """The keys of `region` in the key store `database`, whose key-encryption keys `roots` unwraps.

    `journal` is where destroyed keys are noted apart from the databases.
    """

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
        self._cache = KeyCache(seconds)
        self._known = RegionKeys(database, roots, region, self._cache, self._chores, clock=clock, seconds=seconds)

    async def start(self) -> None:
        """Load the keys of the region, and begin to look for changes in the background.

        Raises `ConfigurationError` where there are none yet, `RootKeysUnavailable` and `RootKeyMissing` when the
        provider does not open them, `DatabaseUnavailable` when the key store does not answer.
        """
        await self._known.start()

    async def stop(self) -> None:
        """End the background work, and forget all keys."""
        await self._known.stop()

    async def refresh(self) -> None:
        """Fetch what has changed, at once."""
        await self._known.refresh()

    @property
    def answers(self) -> bool:
        """Whether the key store answered lately, and the provider of root keys when it was last asked."""
        return self._known.answers

    @property
    def sealed(self) -> bool:
        """Whether no value is left in the clear (`StateDocument`)."""
        return self._known.state.sealed

    @property
    def epoch(self) -> int:
        """How many changes of keys are known here (`StateDocument`)."""
        return self._known.state.epoch

    async def ring(self) -> Ring:
        """The keys of the region as they are now. Raises `KeysUnavailable`."""
        return await self._known.ring()

    def known(self, people: Sequence[str]) -> list[DataKeys] | None:
        """The keys of `people`, in their order, if all are at hand, without asking anybody."""
        return self._cache.all_of(people) if self._known.current else None

    async def of(self, people: Sequence[str], *, anew: bool = False) -> Mapping[str, DataKeys]:
        """The keys of `people`, by one query for those that are not at hand.

        Who has none, or a damaged one, is left out. `anew`: none that was kept counts. Raises
        `KeysUnavailable`.
        """
        await self.ring()
        found = {} if anew else self._cache.some_of(people)
        return found | await self._fetched([person for person in people if person not in found])

    async def make(self, people: Iterable[str]) -> frozenset[str]:
        """A data key for each of `people` who has none, and had none that was destroyed; for whom one was made.

        Raises `KeysUnavailable`.
        """
        wanted = list(people)
        gone = await self.is_destroyed(wanted)
        ring, began, epoch = await self.ring(), self._seconds(), self._known.state.epoch
        made, rows = [], []
        for person in wanted:
            if person in gone:
                continue
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
            self._cache.drop(person)
        await self.database.delete_many(DataKeyDocument, {"_id": {"$in": list(people)}})

    async def destroy(self, person: str) -> None:
        """Destroy a person's key for good: what was sealed with it opens no more, here and in backups.

        On return every worker forgets it within a second. Safe to call again. Raises `DatabaseUnavailable`.
        """
        at = self._clock()
        self._cache.drop(person)
        if self._journal is not None:
            await self._journal.add(person, at)
        # NOTE: the tombstone comes last. When this breaks off, it is missing, and replaying finds that.
        await self.database.delete_one(DataKeyDocument, {"_id": person})
        with suppress(Conflict):
            await self.database.insert(TombstoneDocument(id=person, at=at))
        self._cache.drop(person)
        self._leaving.discard(person)

    async def note(self, person: str) -> None:
        """Note in the journal that a person's key was destroyed; that was done before."""
        if self._journal is not None:
            await self._journal.add(person, self._clock())

    async def destroy_soon(self, person: str) -> None:
        """As `destroy`, again and again where the key store is away; never raises for that.

        Whoever is cancelled meanwhile leaves it to go on.
        """
        self._leaving.add(person)
        try:
            await asyncio.shield(self.destroy(person))
        except FieldwardError as error:
            structlog.get_logger(__name__).warning("key_not_destroyed_yet", code=error.code)

    async def _chores(self) -> None:
        await self._destroy_left()
        await self._fetched(self._cache.due())

    async def _destroy_left(self) -> None:
        for person in list(self._leaving):
            await self.destroy(person)

    async def is_destroyed(self, people: Sequence[str]) -> frozenset[str]:
        """Those of `people` whose key was destroyed."""
        rows = await self.database.find(TombstoneDocument, {"_id": {"$in": list(people)}}, projection={"_id": 1})
        return frozenset(row["_id"] for row in rows)

    async def _fetched(self, people: list[str]) -> dict[str, DataKeys]:
        """The keys of `people` as they are now, which are at hand from then on."""
        began, epoch = self._seconds(), self._known.state.epoch
        fetched = await self._unwrapped(await self._rows(people))
        for person, keys in fetched.items():
            self._keep(person, keys, began, epoch)
        return fetched

    async def _rows(self, people: list[str]) -> list[Raw]:
        if not people:
            return []
        try:
            return await self.database.find(
                DataKeyDocument,
                {"_id": any_of(people)},
                projection={"keys": 1},
                limit=len(people),
            )
        except DatabaseUnavailable:
            raise KeysUnavailable from None

    async def _unwrapped(self, rows: Iterable[Raw]) -> dict[str, DataKeys]:
        """Whose keys are damaged is left out, as one who has none: no failure of all who are read along."""
        found, left = _unwrapped_by(await self.ring(), rows)
        if any(isinstance(error, UnknownKey) for _, error in left):
            # Wrapped by a key-encryption key that came meanwhile.
            more, left = _unwrapped_by(await self._known.reload(), [row for row, _ in left])
            found |= more
        for _, error in left:
            structlog.get_logger(__name__).error("data_key_broken", code=error.code)
        return found

    def _keep(self, person: str, keys: DataKeys, began: float, epoch: int) -> None:
        # NOTE: a key that was destroyed meanwhile is dropped by the next fetch, which looks some seconds back. What
        # took longer (a provider that is slow) is used once and not kept. Nor is what was read before keys changed and
        # comes after that was noticed: it may lack the newest version.
        if epoch == self._known.state.epoch and self._seconds() - began < PROMPT:
            self._cache.keep(person, keys, began)


def _unwrapped_by(ring: Ring, rows: Iterable[Raw]) -> tuple[dict[str, DataKeys], list[tuple[Raw, SealBroken]]]:
    """The keys in `rows` by their people, and the rows whose keys do not open, with the reason."""
    found: dict[str, DataKeys] = {}
    left: list[tuple[Raw, SealBroken]] = []
    for row in rows:
        try:
            found[row["_id"]] = ring.unwraps(row)
        except SealBroken as error:
            left.append((row, error))
    return found, left
