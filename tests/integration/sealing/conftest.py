"""One sealed database for each file of tests, in a real MongoDB and in memory, and people to put into it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Final

import pytest

from models.database import Database
from tests.stores import sealed_database

Newcomer = Callable[[], str]

_NUMBERS: Final = count()


@pytest.fixture(scope="module")
async def real(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    """A sealed database in the real MongoDB; the tests of a file share it, each with people of its own."""
    mongod = request.getfixturevalue("mongod")
    async with sealed_database(mongod.admin_url) as opened:
        yield opened


@pytest.fixture(scope="module")
async def memory() -> AsyncIterator[Database]:
    """The same in memory."""
    async with sealed_database(None) as opened:
        yield opened


@pytest.fixture(params=["real", "memory"])
def sealed(request: pytest.FixtureRequest) -> Database:
    """Each of the two."""
    chosen: Database = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def new() -> Newcomer:
    """Makes an identifier that nobody has yet."""
    return lambda: f"usr_eu_{next(_NUMBERS)}"
