"""What all rotations have in common: the two databases, a pace, and where an interrupted one goes on.

Workers notice a change of keys within a second (`models.keystore.region`), and whatever they began before ends some
seconds later. Earlier keys go only after a whole sweep has found nothing that needs them, and that sweep began two
waits (`settle`) after the change. docs/decisions/0023 says why no value is lost by that.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from beanie import Document

from models.base import now
from models.crypto.envelope import DataKeys
from models.database import Database, Raw
from models.errors import Conflict, FieldwardError
from models.keystore.documents import RotationDocument, StateDocument
from models.keystore.keys import Keys
from models.sealing import Plan

SETTLE: Final = 8.0  # seconds; two of them are longer than noticing, a whole request and a call at its deadline
WAITING: Final = "waiting until every worker knows"
BATCH: Final = 200
_AT_ONCE: Final = 16  # writes; each waits for the journal of a majority

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Course:
    """What a rotation works with.

    `main` is the database of people as whoever may change all of it opens it, `keys` those of the key store as its
    keymaster does. `rate` is the most documents a second (None: as fast as it goes), `progress` is told the step and
    how many more are done (none: it waits), `settle` the seconds for which workers may still use older keys.
    """

    main: Database
    keys: Keys
    rate: float | None = None
    progress: Progress = lambda _step, _more: None
    settle: float = SETTLE

    @property
    def region(self) -> str:
        """Whose keys these are."""
        return self.keys.region

    @property
    def keystore(self) -> Database:
        """The key store."""
        return self.keys.database

    async def begin(self, what: str, step: str, version: int) -> RotationDocument:
        """The rotation of `what` that is under way; else a new one, at `step`, to `version`."""
        made = RotationDocument(id=f"{what}:{self.region}", step=step, version=version)
        try:
            await self.keystore.insert(made)
        except Conflict:
            row = await self.keystore.find_one(RotationDocument, {"_id": made.id})
            if row is None:  # another process has ended it at this moment
                return await self.begin(what, step, version)
            begun: RotationDocument = RotationDocument.model_validate(row)
            return begun
        return made

    async def step(self, rotation: RotationDocument, step: str) -> None:
        """Go on to `step`."""
        rotation.step, rotation.done, rotation.stepped_at = step, 0, now()
        await self._keep(rotation)

    async def end(self, rotation: RotationDocument) -> None:
        """It is done."""
        await self.keystore.delete_one(RotationDocument, {"_id": rotation.id, "started_at": rotation.started_at})

    async def changed(self, **state: Any) -> None:  # noqa: ANN401 - fields of StateDocument
        """Tell all workers that keys have changed, and wait until none uses the earlier ones."""
        update: dict[str, Any] = {"$inc": {"epoch": 1}} | ({"$set": state} if state else {})
        row = await self.keystore.find_one_and_update(StateDocument, {"_id": self.region}, update)
        await self._settled()
        # A fetch that was under way already may have seen the state before.
        while row is not None and self.keys.epoch < row["epoch"]:
            await self.keys.refresh()

    async def sweep(self, once: Callable[[], Awaitable[int]]) -> None:
        """Do `once`, which tells how much it found to do, until it has found nothing after a wait.

        What a request did by earlier keys is found by then, and what it read of them before it was replaced it has
        opened.
        """
        found = 1
        await once()
        while found:
            await self._settled()
            found = await once()

    async def _settled(self) -> None:
        if self.settle:
            self.progress(WAITING, 0)
        await asyncio.sleep(self.settle)

    async def walk(
        self,
        rotation: RotationDocument | None,
        database: Database,
        document: type[Document],
        filter: Mapping[str, Any],  # noqa: A002 - MongoDB's own word
        paths: Sequence[str],
    ) -> AsyncIterator[list[Raw]]:
        """The matching rows in batches, in the order of their identifiers, at the pace that was asked for.

        Raises `FieldwardError` once the `rotation` that it is done for is over, by another process.
        """
        after, step = "", rotation.step if rotation else ""
        projection = dict.fromkeys(("_id", *paths), 1)
        limit = BATCH if self.rate is None else max(1, min(BATCH, int(self.rate)))
        while batch := await database.find(
            document, {"$and": [filter, {"_id": {"$gt": after}}]}, projection=projection, sort=[("_id", 1)], limit=limit
        ):
            yield batch
            after = batch[-1]["_id"]
            self.progress(step, len(batch))
            if rotation is not None:
                rotation.done += len(batch)
                await self._keep(rotation)
            if self.rate is not None:
                await asyncio.sleep(len(batch) / self.rate)

    async def at_hand(self, plan: Plan, batch: Iterable[Raw]) -> None:
        """Fetch the keys of all whose rows these are by one query, for `keys_for`."""
        await self.keys.of([row[plan.person] for row in batch if isinstance(row.get(plan.person), str)])

    async def keys_for(self, plan: Plan, row: Raw) -> DataKeys | None:
        """The keys of the person whose row it is, as they are now: a slow batch must not seal with those of its
        beginning."""
        person = row.get(plan.person)
        return (await self.keys.of([person])).get(person) if isinstance(person, str) else None

    async def each(self, rows: Iterable[Raw], work: Callable[[Raw], Awaitable[bool]]) -> int:
        """Do `work` for all rows, some at once; for how many it was true."""
        waiting, done = list(rows), 0
        for start in range(0, len(waiting), _AT_ONCE):
            done += sum(await asyncio.gather(*map(work, waiting[start : start + _AT_ONCE])))
        return done

    async def _keep(self, rotation: RotationDocument) -> None:
        # NOTE: this very rotation. One that begins later must not be told that it is where this one has come to.
        this = {"_id": rotation.id, "started_at": rotation.started_at}
        kept = {"step": rotation.step, "done": rotation.done, "stepped_at": rotation.stepped_at}
        if not await self.keystore.update_one(RotationDocument, this, {"$set": kept}):
            raise FieldwardError("Another process has ended this rotation: see `fieldward keys status`.")
