"""A key store in memory with the first keys of a region, watched; and workers that look at it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest

from models.database import Database
from models.keystore import KEY_DOCUMENTS
from models.keystore.first import make_first_keys
from models.keystore.keys import Keys
from tests.unit.models.keystore.watched import Clock, Provider, Watched

Worker = Callable[..., Keys]


@pytest.fixture
async def empty() -> AsyncIterator[Watched]:
    """A key store without keys."""
    opened = await Database.connect(None, name=f"keys_{uuid4().hex}", documents=KEY_DOCUMENTS)
    yield Watched(opened)
    await opened.close()


@pytest.fixture
def roots() -> Provider:
    """A provider of root keys."""
    return Provider()


@pytest.fixture
async def store(empty: Watched, roots: Provider) -> Watched:
    """A key store with the first keys of `eu`."""
    await make_first_keys(empty.real, roots, "eu", sealed=True)
    roots.calls.clear()
    return empty


@pytest.fixture
def clock() -> Clock:
    """The time, which stands."""
    return Clock()


@pytest.fixture
def worker(store: Watched, roots: Provider, clock: Clock) -> Worker:
    """Makes one worker's view of the store; it looks when it is told to, or has to."""

    def make(watched: Watched = store) -> Keys:
        return Keys(watched.as_database(), roots, "eu", clock=lambda: clock.at, seconds=lambda: clock.seconds)

    return make
