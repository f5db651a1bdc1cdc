"""A service's own databases, open as it opens them: for what it keeps sealed, beside the plain client of `Server`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

from graph.commands.key_store import sealed
from graph.settings import load_settings
from models.database import Database
from models.embedded import DATABASE, KEYSTORE_DATABASE
from models.embedded.folder import read_running
from models.embedded.users import root_address
from models.keystore import KEY_DOCUMENTS
from tests.e2e.server import Server

T = TypeVar("T")


@asynccontextmanager
async def opened(server: Server) -> AsyncIterator[Database]:
    """The database of a running service, by whoever may do everything there, with the service's own keys."""
    identity = read_running(server.folder / "mongodb")
    assert identity is not None, "the embedded database does not run"
    async with AsyncExitStack() as stack:
        main = await Database.connect(root_address(identity.port, identity.root, DATABASE))
        stack.push_async_callback(main.close)
        store = await Database.connect(
            root_address(identity.port, identity.root, KEYSTORE_DATABASE), documents=KEY_DOCUMENTS
        )
        stack.push_async_callback(store.close)
        await stack.enter_async_context(sealed(main, store, load_settings({"FIELDWARD_DATA_DIR": str(server.folder)})))
        yield main


def on_database(server: Server, work: Callable[[Database], Awaitable[T]]) -> T:
    """Do something there, in a test that is not asynchronous itself."""

    async def run() -> T:
        async with opened(server) as database:
            return await work(database)

    return asyncio.run(run())
