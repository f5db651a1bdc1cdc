"""What a version before encryption has stored is sealed while the service runs; people are found all along."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from models.crypto.envelope import is_sealed
from models.database import Database
from models.embedded import Embedded
from models.errors import Conflict, FieldwardError
from models.keystore.documents import DataKeyDocument, RotationDocument, StateDocument
from models.rotation.clear import prepare, seal
from models.rotation.course import Course
from models.rotation.data import rotate_data, sealed_documents
from models.rotation.index import rotate_index
from models.rotation.status import status_of
from models.sealed import sealed_fields
from models.sealing import Sealer
from models.ticket import TicketDocument
from models.user import UserDocument
from models.validators import tighten
from tests.integration.rotation.before import PEOPLE, Stored, rows, store
from tests.integration.rotation.interruptions import Killed
from tests.integration.rotation.load import newcomer
from tests.stores import REGION, clear_row, keys_of, sealed_database

pytestmark = pytest.mark.slow  # each test makes a world of its own


@pytest.fixture
def stored() -> Stored:
    """What there was."""
    return rows()


@pytest.fixture
async def old(mongod: Embedded, stored: Stored) -> AsyncIterator[Database]:
    """A database of the version before, opened by this one right after its indexes and keys were made."""
    async with sealed_database(mongod.admin_url, name=f"test_{uuid4().hex}") as opened:
        await store(opened, stored)
        await keys_of(opened).database.update_one(StateDocument, {"_id": REGION}, {"$set": {"sealed": False}})
        await keys_of(opened).refresh()
        assert not await tighten(opened)
        await opened.make_indexes()
        yield opened


def course_on(database: Database) -> Course:
    """Whoever seals, with nobody else at it."""
    return Course(database, keys_of(database), settle=0.0)


async def assert_all_is_as_it_was(database: Database, stored: Stored) -> None:
    """Every value opens, and is the one that was stored in the clear."""
    for document, listed in stored.items():
        for row in listed:
            now = await clear_row(database, document, {"_id": row["_id"]})
            for path in sealed_fields(document):
                if path != "location":
                    assert now.get(path) == row.get(path), path
    first = stored[UserDocument][0]
    place = (await clear_row(database, UserDocument, {"_id": first["_id"]}))["location"]
    assert place["latitude"] == first["location"]["latitude"]
    assert place["recorded_at"].replace(tzinfo=None) == first["location"]["recorded_at"].replace(tzinfo=None)


async def assert_found(database: Database, stored: Stored) -> None:
    """Everybody by their address in any spelling and by their key of the import, and no address is free."""
    for number, row in enumerate(stored[UserDocument]):
        for asked in ({"email": row["email"].upper()}, {"import_key": row["import_key"]}) if "email" in row else ():
            found = await database.find(UserDocument, asked, projection={"_id": 1})
            assert [each["_id"] for each in found] == [row["_id"]]
        if "email" in row and number < 3:
            with pytest.raises(Conflict) as taken:
                await database.insert(newcomer(f"other-{uuid4().hex[:8]}", row["email"].upper()))
            assert taken.value.field == "email"


async def test_the_indexes_of_before_are_replaced(old: Database) -> None:
    """Those of the same name were over values in the clear."""
    found = await old._of(UserDocument).index_information()
    assert found["email"]["key"] == [("email_index.mac", 1)]
    assert found["import_key"]["key"] == [("import_key_index.mac", 1)]


async def test_once_prepared_everybody_is_found_and_unique(old: Database, stored: Stored) -> None:
    """Before any value is sealed; asking again changes nothing."""
    assert await prepare(old, keys_of(old)) == PEOPLE
    assert await keys_of(old).database.count(DataKeyDocument, {}) == PEOPLE
    await assert_found(old, stored)
    await assert_all_is_as_it_was(old, stored)
    assert await prepare(old, keys_of(old)) == 0
    status = await status_of(course_on(old), count_values=True)
    assert (status.values, status.sealed) == ({}, False)


async def test_sealing_seals_everything(old: Database, stored: Stored) -> None:
    """What stood beside it in the clear is gone, and MongoDB takes no value in the clear any more."""
    await prepare(old, keys_of(old))
    assert await seal(course_on(old)) == sum(map(len, stored.values()))
    assert await tighten(old)
    for document, plan in sealed_documents(Sealer(keys_of(old))):
        for row in await old._of(document).find({}).to_list(None):
            assert all(is_sealed(row[path]) for path in plan.fields if path in row)
            assert "email_key" not in row
    await assert_found(old, stored)
    await assert_all_is_as_it_was(old, stored)
    status = await status_of(course_on(old), count_values=True)
    assert (status.clear, status.sealed, status.under_way) == (0, True, {})
    for document in stored:
        path = next(iter(sealed_fields(document)))
        with pytest.raises(FieldwardError, match="the validator of"):
            await old.exchange(document, stored[document][0]["_id"], {}, {path: "in the clear"})


async def test_in_the_middle_everybody_is_found_and_unique(old: Database, stored: Stored) -> None:
    """Some are sealed, some are not; run again it ends."""
    await prepare(old, keys_of(old))

    def stop(step: str, _more: int) -> None:
        if step == "seal":
            raise Killed

    course = Course(old, keys_of(old), settle=0.0, rate=5.0, progress=stop)
    with pytest.raises(Killed):
        await seal(course)
    status = await status_of(course_on(old), count_values=True)
    assert status.clear
    assert status.values
    await assert_found(old, stored)
    await assert_all_is_as_it_was(old, stored)
    await seal(course_on(old))
    await assert_all_is_as_it_was(old, stored)
    assert await keys_of(old).database.count(RotationDocument, {}) == 0


async def test_a_change_before_sealing_is_sealed_and_found(old: Database, stored: Stored) -> None:
    """And the earlier address is free for others."""
    await prepare(old, keys_of(old))
    person, address = stored[UserDocument][0]["_id"], "moved@new.example"
    assert await old.update_one(UserDocument, {"_id": person}, {"$set": {"email": address}})
    row = await old.find_one(UserDocument, {"email": address})
    assert row is not None
    assert is_sealed(row["email"])
    await old.insert(newcomer("another", stored[UserDocument][0]["email"]))
    await seal(course_on(old))
    assert "email_key" not in (await clear_row(old, UserDocument, {"_id": person}))
    assert await old.count(UserDocument, {"email": address}) == 1


async def test_a_new_pepper_and_new_data_keys_before_sealing(old: Database, stored: Stored) -> None:
    """Rotations take values in the clear as they are."""
    await prepare(old, keys_of(old))
    await rotate_index(course_on(old))
    await assert_found(old, stored)
    await rotate_data(course_on(old))
    await assert_all_is_as_it_was(old, stored)
    await seal(course_on(old))
    await assert_found(old, stored)
    await assert_all_is_as_it_was(old, stored)


async def test_whose_key_was_destroyed_gets_none(old: Database, stored: Stored) -> None:
    """Not by preparing either: a restored backup may hold their row in the clear."""
    person = stored[UserDocument][0]["_id"]
    await keys_of(old).destroy(person)
    await prepare(old, keys_of(old))
    assert await keys_of(old).database.count(DataKeyDocument, {"_id": person}) == 0


async def test_an_address_that_cannot_be_read_is_named_by_its_row(old: Database, stored: Stored) -> None:
    """And not by itself."""
    person = stored[UserDocument][1]["_id"]
    await old._of(UserDocument).update_one({"_id": person}, {"$set": {"email": "no address at all"}})
    with pytest.raises(FieldwardError) as told:
        await prepare(old, keys_of(old))
    assert person in told.value.message
    assert "no address" not in told.value.message


async def test_tickets_lose_the_address_beside_them(old: Database) -> None:
    """Theirs was in the clear as well."""
    await seal(course_on(old))
    row = await clear_row(old, TicketDocument, {"_id": "tkt_eu_old"})
    assert (row["email"], "email_key" in row) == ("next@old.example", False)
