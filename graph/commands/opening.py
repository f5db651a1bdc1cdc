"""Which database a command works on, and for how long it is there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from graph.settings import Settings
from models.database import Database
from models.embedded import Embedded, find_mongod, running_url
from models.errors import ConfigurationError, DatabaseUnavailable
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


@contextmanager
def opened_mongodb(settings: Settings, say: Say) -> Iterator[str | None]:
    """The address of the database, as long as the context lasts.

    `FIELDWARD_MONGODB_URL` if set; else the embedded server, started here unless another process runs
    it on the same folder. Use it on the main thread. Raises `ConfigurationError` where there is neither.
    """
    if settings.mongodb_url is not None:
        yield settings.mongodb_url.get_secret_value()
    elif (running := running_url(settings.mongodb_dir)) is not None:
        yield running
    elif find_mongod() is None:
        raise ConfigurationError(NOTHING_KEPT)
    else:
        with embedded_mongodb(settings, say) as server:
            yield server.url if server else None


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


async def connect(url: str | None, settings: Settings, say: Say) -> Database:
    """Open the database at `url`. Raises `ConfigurationError` when nothing answers there, and in production
    when it is no replica set."""
    try:
        database = await Database.connect(url)
    except DatabaseUnavailable:
        where = "at FIELDWARD_MONGODB_URL" if settings.mongodb_url else f"of {settings.mongodb_dir}"
        problem = f"The MongoDB {where} did not answer. Is it running, and can it be reached from here?"
    else:
        if database.in_memory or database.has_transactions:
            return database
        if not settings.production:
            say(NO_TRANSACTIONS)
            return database
        await database.close()
        problem = (
            "FIELDWARD_MONGODB_URL must lead to a replica set in production: only there are changes all or nothing."
        )
    # Outside of the handler: the driver's error may hold the address.
    raise ConfigurationError(problem)


def with_database(settings: Settings, say: Say, work: Callable[[Database], Awaitable[T]]) -> T:
    """Run `work` on the database of `settings`, its labels checked and its indexes made. For commands."""

    async def run(url: str | None) -> T:
        check_labels()
        database = await connect(url, settings, say)
        try:
            await database.make_indexes()
            return await work(database)
        finally:
            await database.close()

    with opened_mongodb(settings, say) as url:
        return asyncio.run(run(url))
