"""Which database a command works on, and for how long it is there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Final, TypeVar

from graph.commands.key_store import open_key_store, sealed
from graph.commands.migrating import NOT_MIGRATED, is_migrated, migrate, require_migrated
from graph.database_settings import KEYMASTER_URL, KEYSTORE_URL, MIGRATOR_URL, MONGODB_URL
from graph.settings import Settings
from models.addresses import Addresses
from models.database import Database
from models.embedded import Embedded, find_mongod, running_addresses
from models.errors import ConfigurationError, DatabaseUnavailable
from models.keystore import Keys
from models.registry import check_labels

T = TypeVar("T")
Say = Callable[[str], None]

LOST_ON_EXIT: Final = (
    "WARNING: there is no embedded MongoDB for this platform. Everything is held in memory only "
    "and ALL DATA IS LOST ON EXIT. Set FIELDWARD_MONGODB_URL to keep it."
)
NOTHING_KEPT: Final = (
    "There is no embedded MongoDB for this platform, so all that this command does would be lost on its exit. "
    "Set FIELDWARD_MONGODB_URL."
)
NO_TRANSACTIONS: Final = (
    "WARNING: the MongoDB at FIELDWARD_MONGODB_URL is no replica set. A change of several documents that is "
    "interrupted stays half done. Production refuses this."
)
KEYS_BESIDE_DATA: Final = (
    f"WARNING: {KEYSTORE_URL} is not set. The key store is another database of the same MongoDB, with the same "
    "credential: whoever has that has keys and data. Production refuses this."
)

NO_KEYMASTER: Final = (
    f"Keys are replaced by whoever {MIGRATOR_URL} and {KEYMASTER_URL} name: set both for this command."
)


@contextmanager
def opened_mongodb(settings: Settings, say: Say) -> Iterator[Addresses]:
    """Where the databases are, as long as the context lasts.

    Those that the settings name; else those of the embedded server, started here unless another process runs
    it on the same folder. Use it on the main thread. Raises `ConfigurationError` where there is neither.
    """
    if (found := settings.addresses or running_addresses(settings.mongodb_dir)) is not None:
        yield found
    elif find_mongod() is None:
        raise ConfigurationError(NOTHING_KEPT)
    else:
        with embedded_mongodb(settings, say) as server:
            if server is None:
                raise ConfigurationError(NOTHING_KEPT)
            yield server.addresses


@contextmanager
def embedded_mongodb(settings: Settings, say: Say) -> Iterator[Embedded | None]:
    """The embedded server, started here and stopped at the end; None where there is none."""
    binary = find_mongod()
    if binary is None:
        say(LOST_ON_EXIT)
        yield None
        return
    server = Embedded.start(binary, settings.mongodb_dir, say=say)
    try:
        yield server
    finally:
        server.stop()


async def connect(
    url: str | None, settings: Settings, say: Say = lambda _line: None, *, setting: str = MONGODB_URL
) -> Database:
    """Open the database at `url`, which the variable `setting` names. Raises `ConfigurationError` when nothing
    answers there, and in production when it is no replica set."""
    try:
        database = await Database.connect(url, setting=setting)
    except DatabaseUnavailable:
        where = f"at {setting}" if settings.mongodb_url else f"of {settings.mongodb_dir}"
        problem = f"The MongoDB {where} did not answer. Is it running, and can it be reached from here?"
    else:
        if database.in_memory or database.has_transactions:
            return database
        if not settings.production:
            say(NO_TRANSACTIONS)
            return database
        await database.close()
        problem = f"{setting} must lead to a replica set in production: only there are changes all or nothing."
    # Outside of the handler: the driver's error may hold the address.
    raise ConfigurationError(problem)


async def migrated(addresses: Addresses, settings: Settings) -> None:
    """Make what this version needs of both databases, as those who may. Raises `ConfigurationError`."""
    async with AsyncExitStack() as stack:
        await migrate(*await _as_migrator(addresses, settings, stack), settings)


async def _as_migrator(
    addresses: Addresses, settings: Settings, stack: AsyncExitStack, say: Say = lambda _line: None
) -> tuple[Database, Database]:
    """Both databases as those open them who may change all of them, until `stack` ends."""
    setting = MIGRATOR_URL if settings.migrator_url is not None else MONGODB_URL
    main = await connect(addresses.migrator, settings, say, setting=setting)
    stack.push_async_callback(main.close)
    store = await open_key_store(addresses.keymaster, KEYMASTER_URL)
    stack.push_async_callback(store.close)
    return main, store


def migrate_now(settings: Settings, say: Say) -> None:
    """`migrated`, for the command. Raises `ConfigurationError` where the settings name nobody who may."""
    if not settings.may_migrate:
        raise ConfigurationError(NOT_MIGRATED)
    check_labels()
    with opened_mongodb(settings, say) as addresses:
        asyncio.run(migrated(addresses, settings))


def with_keys(settings: Settings, say: Say, work: Callable[[Database, Keys], Awaitable[T]]) -> T:
    """Run `work` on the databases of `settings`, opened as the service opens them.

    Labels are checked. What this version needs and does not find is made where the settings allow it, else
    `ConfigurationError` says how to make it.
    """

    async def run(addresses: Addresses) -> T:
        check_labels()
        async with AsyncExitStack() as stack:
            database = await connect(addresses.api, settings, say)
            stack.push_async_callback(database.close)
            if settings.may_migrate and not await is_migrated(database):
                await migrated(addresses, settings)
            await require_migrated(database)
            store = await open_key_store(addresses.keystore)
            stack.push_async_callback(store.close)
            keys = await stack.enter_async_context(sealed(database, store, settings))
            return await work(database, keys)

    with opened_mongodb(settings, say) as addresses:
        return asyncio.run(run(addresses))


def with_database(settings: Settings, say: Say, work: Callable[[Database], Awaitable[T]]) -> T:
    """`with_keys`, for commands that need no keys by themselves."""
    return with_keys(settings, say, lambda database, _keys: work(database))


def with_keymaster(settings: Settings, say: Say, work: Callable[[Database, Keys], Awaitable[T]]) -> T:
    """Run `work` on the databases of `settings`, opened by those who may replace keys and seal anew.

    Raises `ConfigurationError` where the settings name nobody who may.
    """

    async def run(addresses: Addresses) -> T:
        check_labels()
        await migrated(addresses, settings)
        async with AsyncExitStack() as stack:
            main, store = await _as_migrator(addresses, settings, stack, say)
            return await work(main, await stack.enter_async_context(sealed(main, store, settings)))

    if not settings.may_migrate:
        raise ConfigurationError(NO_KEYMASTER)
    with opened_mongodb(settings, say) as addresses:
        return asyncio.run(run(addresses))
