"""What a version needs of the database is made by whoever may, and asked for by the service before it starts."""

from __future__ import annotations

import pytest
from beanie import Document
from pymongo import IndexModel

from graph.commands import migrating
from graph.commands.migrating import is_migrated, migrate, require_migrated, schema_marker
from graph.settings import load_settings
from models.bookkeeping import MarkerDocument
from models.database import Database
from models.embedded import Embedded
from models.errors import ConfigurationError
from models.user import UserDocument

SETTINGS = load_settings({})


async def test_a_fresh_database_is_not_ready(database: Database) -> None:
    """The refusal says what to run, and with what."""
    with pytest.raises(ConfigurationError, match="made by `fieldward database migrate`, with FIELDWARD_MIGRATOR_URL"):
        await require_migrated(database)


async def test_a_migrated_one_is_ready(any_database: Database) -> None:
    """Also after a second time, and where everything is in memory."""
    for _ in range(2):
        await migrate(any_database, None, SETTINGS)
        await require_migrated(any_database)
    assert await any_database.count(MarkerDocument, {"_id": schema_marker()}) == 1


async def test_another_version_looks_for_another_marker(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever declares an index or seals a field need not think of a number."""
    await migrate(database, None, SETTINGS)
    more = [*UserDocument.Settings.indexes, IndexModel([("locale", 1)], name="locale")]
    monkeypatch.setattr(UserDocument.Settings, "indexes", more)
    assert not await is_migrated(database)
    monkeypatch.undo()
    assert await is_migrated(database)

    def sealed() -> dict[type[Document], dict[str, object]]:
        return {UserDocument: {"email": {}}}

    monkeypatch.setattr(migrating, "sealing_validators", sealed)
    assert not await is_migrated(database)


async def test_the_migrator_and_the_service_do_it_with_their_own_users(mongod: Embedded) -> None:
    """Neither needs a right that its table does not have."""
    migrator = await Database.connect(mongod.addresses.migrator)
    service = await Database.connect(mongod.addresses.api)
    try:
        await migrate(migrator, mongod.addresses.keymaster, SETTINGS)
        await require_migrated(service)
        with pytest.raises(ConfigurationError, match="lacks a right"):
            await service.make_indexes()
    finally:
        await migrator.close()
        await service.close()
