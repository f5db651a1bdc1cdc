"""What a version needs of the database is made by whoever may, and asked for by the service before it starts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from beanie import Document
from pymongo import IndexModel

from graph.commands import migrating
from graph.commands.key_store import sealed
from graph.commands.migrating import is_migrated, migrate, require_migrated, schema_marker
from graph.settings import Settings, load_settings
from models.bookkeeping import MarkerDocument
from models.crypto.wrapping import KeyKind
from models.database import DOCUMENTS, Database
from models.embedded import Embedded
from models.errors import ConfigurationError
from models.keystore import KEY_DOCUMENTS
from models.keystore.documents import KeyDocument
from models.user import UserDocument
from tests.stores import clear_row, two_databases


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """With a folder of this test's own, for the root key."""
    return load_settings({"FIELDWARD_DATA_DIR": str(tmp_path)})


@pytest.fixture(params=["real", "in memory"])
async def both(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Database, Database]]:
    """An empty database and an empty key store."""
    url = None if request.param == "in memory" else request.getfixturevalue("mongod").admin_url
    async with two_databases(url) as opened:
        yield opened


async def test_a_fresh_database_is_not_ready(database: Database) -> None:
    """The refusal says what to run, and with what."""
    with pytest.raises(ConfigurationError, match="made by `fieldward database migrate`, with FIELDWARD_MIGRATOR_URL"):
        await require_migrated(database)


async def test_a_migrated_one_is_ready(both: tuple[Database, Database], settings: Settings) -> None:
    """Also after a second time, and where everything is in memory. It has the first keys of its region, once."""
    main, store = both
    for _ in range(2):
        await migrate(main, store, settings)
        await require_migrated(main)
    assert await main.count(MarkerDocument, {"_id": schema_marker()}) == 1
    assert {row["kind"] for row in await store.find(KeyDocument, {})} == {KeyKind.ENCRYPTION, KeyKind.INDEX}
    async with sealed(main, store, settings) as keys:
        assert keys.sealed


async def test_another_version_looks_for_another_marker(
    both: tuple[Database, Database], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever declares an index or seals a field need not think of a number."""
    database, store = both
    await migrate(database, store, settings)
    more = [*UserDocument.Settings.indexes, IndexModel([("locale", 1)], name="locale")]
    monkeypatch.setattr(UserDocument.Settings, "indexes", more)
    assert not await is_migrated(database)
    monkeypatch.undo()
    assert await is_migrated(database)

    def sealed() -> dict[type[Document], dict[str, object]]:
        return {UserDocument: {"email": {}}}

    monkeypatch.setattr(migrating, "sealing_validators", sealed)
    assert not await is_migrated(database)


@pytest.mark.usefixtures("administrator")
async def test_the_migrator_and_the_service_do_it_with_their_own_users(mongod: Embedded, settings: Settings) -> None:
    """None needs a right that its table does not have, and the service seals with the keys that it has then."""
    where = mongod.addresses
    async with AsyncExitStack() as stack:

        async def opened(url: str, documents: Sequence[type[Document]] = DOCUMENTS) -> Database:
            database = await Database.connect(url, documents=documents)
            stack.push_async_callback(database.close)
            return database

        await migrate(await opened(where.migrator), await opened(where.keymaster, KEY_DOCUMENTS), settings)
        service, keystore = await opened(where.api), await opened(where.keystore, KEY_DOCUMENTS)
        await require_migrated(service)
        with pytest.raises(ConfigurationError, match="lacks a right"):
            await service.make_indexes()
        with pytest.raises(ConfigurationError, match="lacks a right"):
            await keystore.make_indexes()
        async with sealed(service, keystore, settings):
            await service.insert(UserDocument(id="usr_eu_ann", username="ann", username_key="ann", full_name="Ann"))
            assert (await clear_row(service, UserDocument, {"_id": "usr_eu_ann"}))["full_name"] == "Ann"
