"""Sealed databases that are used again: making one takes many times as long as emptying it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from models.database import Database
from models.keystore.first import make_first_keys
from models.stores import sealing
from tests.stores import REGION, HeldRoots, two_databases

_KEPT = ("keys", "state")  # of the key store: what every database begins with


@dataclass(frozen=True, slots=True)
class Pair:
    """A database and its key store, and what they were like when they were new."""

    main: Database
    store: Database
    roots: HeldRoots
    made: Mapping[str, object]
    stack: AsyncExitStack  # drops both

    @classmethod
    async def new(cls, url: str | None) -> Pair:
        """Empty, with all collections, indexes and first keys."""
        stack, roots = AsyncExitStack(), HeldRoots()
        main, store = await stack.enter_async_context(two_databases(url))
        for database in (main, store):
            await database.make_indexes()
            there = await database._database.list_collection_names()
            for document in database._documents:
                if (name := database._of(document).name) not in there:
                    await database._database.create_collection(name)
        await make_first_keys(store, roots, REGION, sealed=True)
        return cls(main, store, roots, await _likeness(main, store), stack)

    async def is_as_new(self) -> bool:
        """Empty both; whether nothing else about them has changed."""
        for database in (self.main, self.store):
            names = [name for name in await _names(database) if database is self.main or name not in _KEPT]
            await asyncio.gather(*(database._database[name].delete_many({}) for name in names))
        return await _likeness(self.main, self.store) == self.made


class Shelf:
    """Databases at `url` (None: in memory) that wait to be used again. One that a test has left with other indexes,
    validators or keys is not."""

    def __init__(self, url: str | None) -> None:
        self._url, self._waiting = url, list[Pair]()

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """An empty sealed database with its indexes, and a key store beside it."""
        pair = self._waiting.pop() if self._waiting else await Pair.new(self._url)
        async with sealing(pair.main, pair.store, pair.roots, REGION):
            yield pair.main
        if await pair.is_as_new():
            self._waiting.append(pair)
        else:
            await pair.stack.aclose()

    async def close(self) -> None:
        """Drop all of them."""
        await asyncio.gather(*(pair.stack.aclose() for pair in self._waiting))


async def _names(database: Database) -> list[str]:
    return sorted(await database._database.list_collection_names())


async def _likeness(main: Database, store: Database) -> Mapping[str, object]:
    """Collections with their indexes and validators, and the keys of the region."""
    found: dict[str, object] = {}
    for part, database in (("main", main), ("store", store)):
        names = await _names(database)
        indexes: list[Any] = await asyncio.gather(*(database._database[name].index_information() for name in names))
        found |= {f"{part}.{name}": _told(each) for name, each in zip(names, indexes, strict=True)}
        if not database.in_memory:
            listed = await database._database.command("listCollections")
            found[part] = {each["name"]: each["options"] for each in listed["cursor"]["firstBatch"]}
    found |= {name: await store._database[name].find().sort("_id", 1).to_list(None) for name in _KEPT}
    return found


def _told(indexes: Mapping[str, Any]) -> str:
    return str(sorted((name, str(index)) for name, index in indexes.items()))
