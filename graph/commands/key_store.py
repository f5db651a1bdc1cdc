"""Opening the databases of the region together, so that what is personal is sealed and can be opened."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from graph.database_settings import KEYSTORE_URL
from graph.settings import Settings
from models.addresses import Addresses
from models.crypto.keyring import KeyringFile
from models.crypto.providers import root_keys
from models.crypto.roots import RootKeyMissing, RootKeys, RootKeysUnavailable
from models.database import Database
from models.errors import ConfigurationError, DatabaseUnavailable
from models.keystore import KEY_DOCUMENTS, Keys
from models.keystore.first import has_keys, make_first_keys
from models.keystore.journal import Journal
from models.sealed import sealed_fields
from models.stores import sealing
from models.user import UserDocument

NO_KEY_STORE: Final = f"The key store did not answer. Is it running, and does {KEYSTORE_URL} lead to it?"

KEYS_LOST: Final = (
    "The database holds sealed values, and the key store has no keys for its region. Restore the key store from its "
    f"backup, or let {KEYSTORE_URL} lead to the right one."
)


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


async def opened(addresses: Addresses | None, stack: AsyncExitStack) -> tuple[Database, Database]:
    """Both databases as the service opens them (None: in memory), until `stack` ends."""
    people = await Database.connect(addresses.api if addresses else None)
    stack.push_async_callback(people.close)
    store = await open_key_store(addresses.keystore if addresses else None)
    stack.push_async_callback(store.close)
    return people, store


@asynccontextmanager
async def sealed(main: Database, store: Database, settings: Settings) -> AsyncGenerator[Keys, None]:
    """Within this context `main` seals and opens, by the keys in `store`.

    Raises `ConfigurationError` for keys that cannot be had.
    """
    async with AsyncExitStack() as stack:
        opening = sealing(main, store, roots_of(settings), settings.region, journal=journal_of(settings))
        try:
            keys = await stack.enter_async_context(opening)
        except (RootKeysUnavailable, RootKeyMissing) as error:
            problem = error.message
        else:
            yield keys
            return
    raise ConfigurationError(problem)


async def make_keys(main: Database, store: Database, settings: Settings, *, nothing_clear: bool) -> None:
    """Make the first keys of the region where there are none; `nothing_clear`: no value waits to be sealed.

    Raises `ConfigurationError` where the database holds sealed values already: new keys would not open them.
    """
    if await has_keys(store, settings.region):
        return
    anything = [{path: {"$type": "binData"}} for path in sealed_fields(UserDocument)]
    if await main.find_one(UserDocument, {"$or": anything}, projection={"_id": 1}) is not None:
        raise ConfigurationError(KEYS_LOST)
    roots = roots_of(settings)
    if isinstance(roots, KeyringFile):
        roots.load_or_create()
    try:
        await make_first_keys(store, roots, settings.region, sealed=nothing_clear)
    except (RootKeysUnavailable, RootKeyMissing) as error:
        problem = error.message
    else:
        return
    raise ConfigurationError(problem)
