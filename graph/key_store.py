"""Opening the databases of the region together, so that what is personal is sealed and can be opened."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from models.crypto.providers import root_keys

from graph.database_settings import KEYSTORE_URL
from graph.settings import Settings
from models.crypto.roots import RootKeyMissing, RootKeys, RootKeysUnavailable
from models.database import Database
from models.errors import ConfigurationError, DatabaseUnavailable
from models.keystore import KEY_DOCUMENTS, Keys
from models.keystore.journal import Journal
from models.stores import sealing

NO_KEY_STORE: Final = f"The key store did not answer. Is it running, and does {KEYSTORE_URL} lead to it?"


def roots_of(settings: Settings) -> RootKeys:
    """The provider of root keys. Raises `ConfigurationError`."""
    return root_keys(
        settings.root_key, data_dir=settings.data_dir, environment=os.environ, production=settings.production
    )


def journal_of(settings: Settings) -> Journal:
    """Where destroyed keys are noted apart from the databases."""
    return Journal(settings.journal_file)


async def open_key_store(url: str | None, setting: str = KEYSTORE_URL) -> Database:
    """The key store at `url` (None: in memory). Raises `ConfigurationError` when it does not answer."""
    try:
        return await Database.connect(url, documents=KEY_DOCUMENTS, setting=setting)
    except DatabaseUnavailable:
        pass
    # Outside of the handler: the driver's error may hold the address.
    raise ConfigurationError(NO_KEY_STORE)


@asynccontextmanager
async def sealed(main: Database, url: str | None, settings: Settings) -> AsyncGenerator[Keys, None]:
    """Within this context `main` seals and opens, by the keys in the key store at `url`.

    Raises `ConfigurationError` for a key store that does not answer and for keys that cannot be had.
    """
    async with AsyncExitStack() as stack:
        store = await open_key_store(url)
        stack.push_async_callback(store.close)
        try:
            keys = await stack.enter_async_context(
                sealing(main, store, roots_of(settings), settings.region, journal=journal_of(settings))
            )
        except (RootKeysUnavailable, RootKeyMissing) as error:
            problem = ConfigurationError(error.message)
        else:
            yield keys
            return
        raise problem
