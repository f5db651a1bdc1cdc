"""The demo sign-ins of the contract work as they are published."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from auth.clients import Clients
from auth.passwords import HashCost, Passwords
from auth.revocations import Revocations
from graph.commands.demo import DEMO_CLIENT, DEMO_PASSWORD, DEMO_SECRET, load_demo
from models.client import ClientDocument
from models.database import Database
from models.demo import DEMO_PEOPLE, DEMO_USERNAMES
from models.errors import ConfigurationError
from models.user import UserDocument
from models.vocabulary import Purpose
from tests.stores import clear_row


@pytest.fixture
async def passwords() -> AsyncIterator[Passwords]:
    """Hashing that costs next to nothing."""
    made = Passwords(HashCost(1024, 1, 1))
    yield made
    made.close()


async def test_everybody_of_the_demo_can_sign_in(any_database: Database, passwords: Passwords) -> None:
    """Seven people by name and password, and five hundred others to look at."""
    assert await load_demo(any_database, passwords, region="eu", production=False)
    for username in DEMO_USERNAMES:
        row = await clear_row(any_database, UserDocument, {"email": f"{username}@demo.example"})
        assert await passwords.verify(DEMO_PASSWORD, row["password_hash"])
    assert await any_database.count(UserDocument, {}) == len(DEMO_USERNAMES) + DEMO_PEOPLE


async def test_the_demo_service_has_its_published_secret(any_database: Database, passwords: Passwords) -> None:
    """With contact and name to read, for support."""
    await load_demo(any_database, passwords, region="eu", production=False, people=3)
    clients = Clients(any_database, Revocations(any_database), region="eu")
    client = await clients.authenticate(DEMO_CLIENT, DEMO_SECRET)
    await clients.close()
    assert client is not None
    assert client.scopes == ["user.contact:read", "user.name:read"]
    assert client.purposes == [Purpose.SUPPORT]


async def test_a_second_start_loads_nothing(any_database: Database, passwords: Passwords) -> None:
    """A removed demo service stays removed."""
    await load_demo(any_database, passwords, region="eu", production=False, people=3)
    await any_database.delete_one(ClientDocument, {"_id": DEMO_CLIENT})
    assert not await load_demo(any_database, passwords, region="eu", production=False, people=3)
    assert await any_database.count(ClientDocument, {}) == 0


async def test_production_refuses_the_demo(memory_database: Database, passwords: Passwords) -> None:
    """Published passwords are for nobody's real data."""
    with pytest.raises(ConfigurationError, match="production"):
        await load_demo(memory_database, passwords, region="eu", production=True)
    assert await memory_database.count(UserDocument, {}) == 0
