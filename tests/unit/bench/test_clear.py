"""The copy of the people in the clear, for servers without keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pymongo
import pytest
from pymongo.errors import OperationFailure

from bench.clear import CLEAR_DATABASE, NoCopy, copy_people, is_copied, reader_address, refuse_clear
from models.database import Database
from models.database.accounts import Client
from models.embedded import Embedded
from models.seeding import generate, seed_people
from tests.stores import keys_of, sealed_database

PEOPLE = 12
SOURCE, TARGET = "test_bench", "test_bench_clear"


@pytest.fixture
def client(mongod: Embedded) -> Iterator[Client]:
    """An administrator of MongoDB; the copies are dropped afterwards."""
    with pymongo.MongoClient[dict[str, Any]](mongod.admin_url) as opened:
        yield opened
        for name in (TARGET, CLEAR_DATABASE):
            opened.drop_database(name)
            opened[name].command("dropAllUsersFromDatabase")


@pytest.fixture(scope="module")
async def main(mongod: Embedded) -> AsyncIterator[Database]:
    """A few people, sealed."""
    async with sealed_database(mongod.admin_url, name=SOURCE) as opened:
        await seed_people(opened, PEOPLE, seed=1, region="eu")
        yield opened


async def test_the_copy_holds_what_was_sealed_in_the_clear(client: Client, main: Database) -> None:
    """All values are as they were before they were sealed, in the same order, without codes."""
    await copy_people(client, main, SOURCE, TARGET)
    assert list(client[TARGET]["users"].find()) == _as_stored(client)


async def test_a_copy_is_there_when_it_has_everybody(client: Client, main: Database) -> None:
    """One that was interrupted is not, and is made anew as a whole."""
    await copy_people(client, main, SOURCE, TARGET)
    assert is_copied(client, SOURCE, TARGET)
    client[TARGET]["users"].delete_one({})
    assert not is_copied(client, SOURCE, TARGET)
    await copy_people(client, main, SOURCE, TARGET)
    assert is_copied(client, SOURCE, TARGET)


async def test_a_person_without_a_key_ends_the_copy(client: Client, main: Database) -> None:
    """Servers would answer differently of them."""
    await seed_people(main, PEOPLE + 1, seed=1, region="eu")
    gone = list(generate(PEOPLE + 1, seed=1, region="eu"))[-1].user["_id"]
    await keys_of(main).destroy(gone)
    try:
        with pytest.raises(NoCopy, match="without a key"):
            await copy_people(client, main, SOURCE, TARGET)
    finally:
        client[SOURCE]["users"].delete_one({"_id": gone})


def test_the_reader_reads_the_copy_and_nothing_else(client: Client, mongod: Embedded) -> None:
    """A peer changes nothing, and does not come to what is sealed."""
    client[CLEAR_DATABASE]["users"].insert_one({"_id": "usr_eu_1"})
    with pymongo.MongoClient[dict[str, Any]](reader_address(client, mongod)) as reader:
        users = reader.get_default_database()["users"]
        assert users.find_one() == {"_id": "usr_eu_1"}
        with pytest.raises(OperationFailure):
            users.insert_one({"_id": "usr_eu_2"})
        with pytest.raises(OperationFailure):
            reader[SOURCE]["users"].find_one()


def test_people_from_before_encryption_are_refused(client: Client) -> None:
    """One value in the clear is enough."""
    client[TARGET]["users"].insert_one({"_id": "usr_eu_old", "email": "anna@example.org"})
    with pytest.raises(NoCopy, match="before fields were sealed"):
        refuse_clear(client, TARGET)


async def test_sealed_people_are_taken(client: Client, main: Database) -> None:
    """What is measured is what is shipped."""
    refuse_clear(client, SOURCE)


def _as_stored(client: Client) -> list[dict[str, Any]]:
    """The invented people as MongoDB hands them back."""
    written = client[TARGET]["expected"]
    written.insert_many([person.user for person in generate(PEOPLE, seed=1, region="eu")])
    return list(written.find())
