"""Sealed databases for tests: people's data, a key store beside it, and a root key that only this process has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import uuid4

from models.base import PersonalDocument
from models.crypto.keyring import Keyring, RootKey
from models.crypto.roots import RootKeyMissing, RootVersions, Wrapped
from models.crypto.wrapping import KeyName
from models.database import Database
from models.database.connection import TIMEOUT
from models.keystore import KEY_DOCUMENTS
from models.keystore.first import make_first_keys
from models.keystore.keys import Keys
from models.sealed import sealed_fields
from models.stores import sealing

REGION: Final = "eu"


class HeldRoots:
    """Root keys in memory."""

    def __init__(self) -> None:
        self.ring = Keyring((RootKey.generate(1),))

    async def wrap(self, name: KeyName, secret: bytes) -> Wrapped:
        """See `RootKeys`."""
        key = self.ring.keys[-1]
        return Wrapped(key.name, key.wrapping().wrap(name, secret))

    async def unwrap(self, name: KeyName, wrapped: Wrapped) -> bytes:
        """See `RootKeys`."""
        key = self.ring.get(wrapped.root)
        if key is None:
            raise RootKeyMissing("It is gone.")
        return key.wrapping().unwrap(name, wrapped.blob)

    async def versions(self) -> RootVersions:
        """See `RootKeys`."""
        names = tuple(key.name for key in self.ring.keys)
        return RootVersions(names[-1], names)

    async def rotate(self) -> RootVersions:
        """See `RootKeys`."""
        self.ring = self.ring.rotated()
        return await self.versions()

    async def retire(self, name: str) -> None:
        """See `RootKeys`."""
        self.ring = self.ring.without(name)


@asynccontextmanager
async def sealed_database(
    url: str | None,
    *,
    name: str | None = None,
    seconds: float = TIMEOUT,
    listeners: Sequence[Any] = (),
    roots: HeldRoots | None = None,
) -> AsyncIterator[Database]:
    """A fresh database with its indexes at `url` (None: in memory), dropped afterwards with its key store."""
    roots = roots or HeldRoots()
    async with two_databases(url, name=name, seconds=seconds, listeners=listeners) as (main, store):
        await main.make_indexes()
        await store.make_indexes()
        await make_first_keys(store, roots, REGION, sealed=True)
        async with sealing(main, store, roots, REGION):
            yield main


@asynccontextmanager
async def two_databases(
    url: str | None, *, name: str | None = None, seconds: float = TIMEOUT, listeners: Sequence[Any] = ()
) -> AsyncIterator[tuple[Database, Database]]:
    """An empty database and an empty key store at `url` (None: in memory), as before a migration; both are dropped."""
    name = name or f"test_{uuid4().hex}"
    main = await Database.connect(url, name=name, seconds=seconds, listeners=listeners)
    store = await Database.connect(url, name=f"{name}_keys", documents=KEY_DOCUMENTS)
    try:
        yield main, store
    finally:
        await asyncio.gather(_end(main), _end(store))


async def _end(database: Database) -> None:
    if not database.in_memory:
        await database.drop()  # which waits for a tenth of a second
    await database.close()


def keys_of(database: Database) -> Keys:
    """The keys that a sealed database is opened with."""
    keys: Keys = database.sealing.keys  # type: ignore[union-attr]  # the sealer itself, not only what it promises
    return keys


async def clear(database: Database, document: type[PersonalDocument], *rows: dict[str, Any]) -> None:
    """Open all that is sealed in rows as read, in place."""
    if database.sealing is not None:
        assert not await database.sealing.open(document, rows, tuple(sealed_fields(document)))


async def clear_row(
    database: Database,
    document: type[PersonalDocument],
    filter: Mapping[str, Any],  # noqa: A002 - MongoDB's own word
) -> dict[str, Any]:
    """The one row that `filter` names, opened."""
    row = await database.find_one(document, filter)
    assert row is not None
    await clear(database, document, row)
    return row
