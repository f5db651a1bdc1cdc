"""The only way to read personal documents: nothing leaves the database that a Grant does not allow.

The projection is built from the grant, so a denied field is neither loaded nor opened. Conditions on the row
itself (restriction, consent, age) are one verdict per row; a row that is withheld is not opened either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from models.base import PersonalDocument
from models.coalescing import Coalescer, Found
from models.crypto.envelope import SealBroken
from models.database import TIMEOUT, Database, Raw
from models.database.query import any_of
from models.database.sealing import RowsBroken
from models.reading import Loaded, NestedRead, Reading, Variant, judged
from models.user import UserDocument
from models.vocabulary import Reason, Relation


class Reader:
    """Reads people through grants."""

    def __init__(self, database: Database, *, coalesce: bool = True) -> None:
        self._database = database
        self._fetching: set[asyncio.Task[None]] = set()
        self._together = Coalescer(self._find_by_ids, TIMEOUT) if coalesce else None

    async def one(
        self,
        reading: Reading,
        relation: Relation,
        filter: Mapping[str, Any],  # noqa: A002 - MongoDB's own word
        limits: Mapping[Hashable, int],
    ) -> tuple[Raw, Variant] | None:
        """The one person that `filter` names, or None."""
        raw = await self._find_one(reading, relation, filter)
        if raw is None:
            return None
        blocked = _blocked(reading, relation, raw)
        if blocked is None and reading.nested[relation]:
            await self._attach(reading, relation, [raw], limits)
        return raw, (relation, blocked)

    async def many(
        self,
        reading: Reading,
        person: str | None,
        filter: Mapping[str, Any],  # noqa: A002 - MongoDB's own word
        sort: Sequence[tuple[str, int]],
        limit: int,
        limits: Mapping[Hashable, int],
        *,
        extra: str | None = None,
    ) -> Loaded:
        """A page of people. The row of `person`, the caller, is read as their own.

        `extra` is a stored path that the cursor needs: the caller may read it, or could not have
        ordered by it.
        """
        projection = reading.projection[Relation.OTHER]
        if extra is not None:
            projection = {**projection, extra: 1}
        raws = await self._database.find(
            UserDocument, filter, projection=projection, sort=sort, limit=limit, naive=True
        )
        ids = [raw["_id"] for raw in raws]
        own = ids.index(person) if person in ids else None
        if own is not None and not reading.same:
            await self._reread(reading, raws, own)
        loaded = await self._opened(reading, judged(reading, raws, own))
        if any(reading.nested.values()):
            await self._attach_all(reading, loaded, limits)
        return loaded

    async def documents(
        self,
        document: type[PersonalDocument],
        reading: Reading,
        relation: Relation,
        filter: Mapping[str, Any],  # noqa: A002 - MongoDB's own word
        sort: Sequence[tuple[str, int]],
        limit: int,
    ) -> list[Raw]:
        """Documents that are no people, as the reading of their root field allows."""
        projection = reading.projection[relation]
        rows = await self._database.find(document, filter, projection=projection, sort=sort, limit=limit, naive=True)
        await self._open(document, rows, reading.sealed[relation])
        return rows

    async def count(self, filter: Mapping[str, Any]) -> int:  # noqa: A002 - MongoDB's own word
        """How many people match; the caller's right to the filter's fields was checked before."""
        return await self._database.count(UserDocument, filter)

    async def _find_one(self, reading: Reading, relation: Relation, filter: Mapping[str, Any]) -> Raw | None:  # noqa: A002 - MongoDB's own word
        # Rows that get lists attached are not shared: another request may want other lengths.
        if self._together is not None and filter.keys() == {"_id"} and not reading.nested[relation]:
            return await self._together.get((reading, relation), filter["_id"])
        raw = await self._database.find_one(UserDocument, filter, projection=reading.projection[relation], naive=True)
        return raw if raw is not None and await self._shown(reading, relation, [raw]) else None

    async def _find_by_ids(self, key: tuple[Reading, Relation], ids: list[str]) -> Found:
        reading, relation = key
        ahead = self._fetch_ahead(ids) if reading.sealed[relation] else None
        raws = await self._database.find(
            UserDocument,
            {"_id": any_of(ids)},
            projection=reading.projection[relation],
            limit=len(ids),
            naive=True,
        )
        try:
            return {raw["_id"]: raw for raw in await self._shown(reading, relation, raws, ahead)}
        except RowsBroken as broken:
            # Others wait for this query too, and their rows are fine.
            there = [raw for raw in raws if raw["_id"] not in broken.keyless]
            return {raw["_id"]: SealBroken() if raw["_id"] in broken.rows else raw for raw in there}

    def _fetch_ahead(self, people: list[str]) -> asyncio.Task[None] | None:
        """Fetch the keys that are not at hand while the rows are read: both stores are asked at once, not in turn."""
        sealing = self._database.sealing
        if sealing is None or not sealing.lacks_keys(people):
            return None
        task = asyncio.create_task(sealing.fetch_keys(people))
        self._fetching.add(task)
        task.add_done_callback(self._fetching.discard)
        return task

    async def _shown(
        self, reading: Reading, relation: Relation, raws: list[Raw], ahead: asyncio.Task[None] | None = None
    ) -> list[Raw]:
        """Open what is granted of rows that may show. A person whose key is gone is no longer there.

        `ahead` fetches their keys; where there is nothing to open nobody waits for it.
        """
        sealed = reading.sealed[relation]
        if not sealed:
            return raws
        shown = [raw for raw in raws if _blocked(reading, relation, raw) is None]
        if shown and ahead is not None:
            await ahead
        gone = {shown[place]["_id"] for place in await self._open(UserDocument, shown, sealed)}
        return [raw for raw in raws if raw["_id"] not in gone] if gone else raws

    async def _opened(self, reading: Reading, loaded: Loaded) -> Loaded:
        """The same for rows read together. The row of a person whose key is gone is withheld as RESTRICTED."""
        gone: dict[int, Variant] = {}
        for relation, sealed in reading.sealed.items():
            if sealed:
                places = loaded.places((relation, None))
                keyless = await self._open(UserDocument, [loaded.raws[place] for place in places], sealed)
                gone |= {places[each]: (relation, Reason.RESTRICTED) for each in keyless}
        return Loaded(loaded.raws, loaded.uniform, {**loaded.exceptions, **gone}) if gone else loaded

    async def _open(
        self, document: type[PersonalDocument], rows: list[Raw], sealed: Sequence[str], people: list[str] | None = None
    ) -> list[int]:
        """Open sealed values that a grant allows; the places of rows whose person has no key."""
        sealing = self._database.sealing
        return await sealing.open(document, rows, sealed, people) if sealing is not None and sealed and rows else []

    async def _reread(self, reading: Reading, rows: list[Raw], index: int) -> None:
        """Replace the caller's own row, fetched as anybody's, by what they may read of themself."""
        own = await self._database.find_one(
            UserDocument, {"_id": rows[index]["_id"]}, projection=reading.projection[Relation.SELF], naive=True
        )
        if own is not None:
            rows[index] = rows[index] | own

    async def _attach_all(self, reading: Reading, loaded: Loaded, limits: Mapping[Hashable, int]) -> None:
        shown = [(raw, relation) for raw, (relation, blocked) in loaded.pairs() if blocked is None]
        if reading.same:
            await self._attach(reading, Relation.OTHER, [raw for raw, _ in shown], limits)
            return
        for relation in Relation:
            await self._attach(reading, relation, [raw for raw, whose in shown if whose is relation], limits)

    async def _attach(
        self, reading: Reading, relation: Relation, rows: Sequence[Raw], limits: Mapping[Hashable, int]
    ) -> None:
        """Fetch nested lists: one command each, however many people there are."""
        if not rows:
            return
        for entry, projection, sealed in reading.nested[relation]:
            found = await self._nested(entry, projection, [raw["_id"] for raw in rows], limits[entry.key])
            inner = [(person, row) for person, listed in found.items() for row in listed]
            await self._open(entry.document, [row for _, row in inner], sealed, [person for person, _ in inner])
            for raw in rows:
                raw[entry.key] = found.get(raw["_id"], [])  # type: ignore[index]  # never leaves as a BSON key

    async def _nested(
        self, entry: NestedRead, projection: Mapping[str, int], people: list[str], first: int
    ) -> dict[str, list[Raw]]:
        sort = {entry.newest_by: -1, "_id": 1}
        if self._database.in_memory:
            # The stand-in knows no $lookup with a pipeline; in memory a query per person costs no trip.
            return {
                person: await self._database.find(
                    entry.document,
                    {entry.document.PERSON: person, **entry.document.SHOWN},
                    projection=projection,
                    sort=list(sort.items()),
                    limit=first,
                )
                for person in people
            }
        shown = [{"$match": entry.document.SHOWN}] if entry.document.SHOWN else []
        pipeline: list[Mapping[str, Any]] = [
            {"$match": {"_id": {"$in": people}}},
            {"$project": {"_id": 1}},
            {
                "$lookup": {
                    "from": entry.document.Settings.name,
                    "localField": "_id",
                    "foreignField": entry.document.PERSON,
                    "pipeline": [*shown, {"$sort": sort}, {"$limit": first}, {"$project": projection}],
                    "as": "rows",
                }
            },
        ]
        found = await self._database.aggregate(UserDocument, pipeline, len(people), naive=True)
        return {raw["_id"]: raw["rows"] for raw in found}


def _blocked(reading: Reading, relation: Relation, raw: Raw) -> Reason | None:
    verdict = reading.verdict[relation]
    return verdict(raw) if verdict else None
