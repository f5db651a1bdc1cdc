"""Fixtures that every test may ask for: a real MongoDB, fresh databases, and one in memory."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from graph import logs
from models.database import Database
from models.embedded import Embedded, find_mongod
from models.errors import ConfigurationError
from tests.shelf import Shelf

IN_MEMORY = "FIELDWARD_TEST_IN_MEMORY"


@pytest.fixture(scope="session", autouse=True)
def configured_logs() -> None:
    """Logs as in production: an unexpected error shows its frames, never its locals."""
    logs.configure(development=False)


@pytest.fixture(scope="session")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """A real MongoDB for the whole run, on a free port and in a temporary folder.

    Where it cannot run, tests that need it fail; they are skipped only when that is asked for by name.
    """
    server = start_mongod(tmp_path_factory.mktemp("mongod"))
    yield server
    server.stop()


def start_mongod(folder: Path) -> Embedded:
    """Start the packaged server on `folder`, or fail or skip with the reason."""
    if os.environ.get(IN_MEMORY) == "1":
        pytest.skip(f"needs a real MongoDB, and {IN_MEMORY}=1 is set")
    binary = find_mongod()
    if binary is None:
        pytest.fail(
            f"There is no embedded MongoDB for this platform; {IN_MEMORY}=1 skips what needs it.", pytrace=False
        )
    try:
        return Embedded.start(binary, folder, say=print)
    except ConfigurationError as error:
        pytest.fail(error.message, pytrace=False)


@pytest.fixture(scope="session")
async def shelf(mongod: Embedded) -> AsyncIterator[Shelf]:
    """Databases in the real MongoDB that tests use one after the other."""
    made = Shelf(mongod.admin_url)
    yield made
    await made.close()


@pytest.fixture(scope="session")
async def memory_shelf() -> AsyncIterator[Shelf]:
    """The same in memory."""
    made = Shelf(None)
    yield made
    await made.close()


@pytest.fixture
async def database(shelf: Shelf) -> AsyncIterator[Database]:
    """An empty database with its indexes in the real MongoDB and a key store beside it."""
    async with shelf.database() as opened:
        yield opened


@pytest.fixture
async def memory_database(memory_shelf: Shelf) -> AsyncIterator[Database]:
    """An empty database in memory, with its indexes and its key store."""
    async with memory_shelf.database() as opened:
        yield opened


@pytest.fixture(params=["database", "memory_database"])
def any_database(request: pytest.FixtureRequest) -> Database:
    """Each of the two, so that what holds for both is said once."""
    chosen: Database = request.getfixturevalue(request.param)
    return chosen
