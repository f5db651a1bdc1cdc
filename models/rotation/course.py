"""What all rotations have in common: the two databases, a pace, and where an interrupted one goes on.

Workers notice a change of keys within a second (`models.keystore.keys`), and whatever they began before ends
within a few more. `settle` waits that long, so that after it nobody makes anything by the older keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from beanie import Document

from models.base import now
from models.database import Database, Raw
from models.errors import Conflict
from models.keystore.documents import RotationDocument, StateDocument
from models.keystore.keys import Keys

SETTLE: Final = 8.0  # seconds: noticing, the longest transaction, and a call at its deadline
BATCH: Final = 200
_AT_ONCE: Final = 16  # writes; each waits for the journal of a majority

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Course:
    """What a rotation works with.

    `main` is the database of people as whoever may change all of it opens it, `keys` those of the key store as its
    keymaster does. `rate` is the most documents a second (None: as fast as it goes), `progress` is told the step and
    how many more are done, `settle` the seconds for which workers may still use older keys.
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
            begun: RotationDocument = RotationDocument.model_validate(row)
            return begun
        return made

    async def step(self, rotation: RotationDocument, step: str) -> None:
        """Go on to `step`."""
        rotation.step, rotation.after, rotation.done, rotation.stepped_at = step, "", 0, now()
        await self._keep(rotation)

    async def end(self, rotation: RotationDocument) -> None:
        """It is done."""
        await self.keystore.delete_one(RotationDocument, {"_id": rotation.id})

    async def changed(self, **state: Any) -> None:  # noqa: ANN401 - fields of StateDocument
        """Tell all workers that keys have changed, and wait until none uses the earlier ones."""
        update: dict[str, Any] = {"$inc": {"epoch": 1}} | ({"$set": state} if state else {})
        await self.keystore.update_one(StateDocument, {"_id": self.region}, update)
        await asyncio.sleep(self.settle)
        await self.keys.refresh()

    async def walk(
        self,
        rotation: RotationDocument | None,
        database: Database,
        document: type[Document],
        filter: Mapping[str, Any],  # noqa: A002 - MongoDB's own word
        paths: Sequence[str],
    ) -> AsyncIterator[list[Raw]]:
        """The matching rows in batches, in the order of their identifiers, at the pace that was asked for.

        With a `rotation` it goes on behind the last batch that was dealt with.
        """
        after, step = (rotation.after, rotation.step) if rotation else ("", "")
        projection = dict.fromkeys(("_id", *paths), 1)
        while batch := await database.find(
            document, {"$and": [filter, {"_id": {"$gt": after}}]}, projection=projection, sort=[("_id", 1)], limit=BATCH
        ):
            yield batch
            after = batch[-1]["_id"]
            self.progress(step, len(batch))
            if rotation is not None:
                rotation.after, rotation.done = after, rotation.done + len(batch)
                await self._keep(rotation)
            if self.rate is not None:
                await asyncio.sleep(len(batch) / self.rate)

    async def each(self, rows: Iterable[Raw], work: Callable[[Raw], Awaitable[bool]]) -> int:
        """Do `work` for all rows, some at once; for how many it was true."""
        waiting, done = list(rows), 0
        for start in range(0, len(waiting), _AT_ONCE):
            done += sum(await asyncio.gather(*map(work, waiting[start : start + _AT_ONCE])))
        return done

    async def _keep(self, rotation: RotationDocument) -> None:
        kept = {
            "step": rotation.step,
            "after": rotation.after,
            "done": rotation.done,
            "stepped_at": rotation.stepped_at,
        }
        await self.keystore.update_one(RotationDocument, {"_id": rotation.id}, {"$set": kept})
