"""MongoDB refuses what is not sealed where it has to be, whoever writes it and by whatever command."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from beanie import Document
from bson import Binary

from models.activity import EventDocument
from models.crypto.envelope import FORMAT, OVERHEAD
from models.database import Database
from models.errors import FieldwardError
from models.seeding import generate, store
from models.user import UserDocument
from models.validators import apply_validators, sealing_validators, tighten, validator_for

SEALED = Binary(bytes([FORMAT, 0, 0, 0, 7]) + bytes(range(OVERHEAD - 5)))
CLEAR = "sofia@people.example"


# Fields that the service does not seal: these tests write what it never would. The real ones are at the end.
PATH, OTHER = "locale", "country"


def sealed(document: type[Document]) -> Iterable[str]:
    """Sealed fields, of two document classes."""
    return {UserDocument: (PATH, OTHER), EventDocument: ("name",)}.get(document, ())


async def stored(database: Database, **fields: object) -> FieldwardError | None:
    """What came of storing a row."""
    try:
        taken = await database.insert_many(UserDocument, [{"_id": "usr_eu_new", "username_key": "new", **fields}])
    except FieldwardError as error:
        return error
    assert taken == []
    await database.delete_one(UserDocument, {"_id": "usr_eu_new"})
    return None


async def test_sealed_values_and_absent_ones_are_taken(database: Database) -> None:
    """Of any length, under any key version that there will be."""
    await apply_validators(database, strict=True, sealed=sealed)
    for fields in (
        {},
        {PATH: SEALED},
        {PATH: SEALED, OTHER: Binary(SEALED + bytes(5000))},
        {PATH: Binary(bytes([FORMAT, 0, 0, 255, 255]) + SEALED[5:]), "username": CLEAR},
    ):
        assert await stored(database, **fields) is None


@pytest.mark.parametrize(
    "value",
    [
        CLEAR,
        "",
        None,
        17,
        True,
        {"value": SEALED},
        [SEALED],
        [SEALED, CLEAR],
        [],
        Binary(CLEAR.encode() * 3),
        Binary(b""),
        Binary(bytes([FORMAT])),
        Binary(SEALED[:-1]),
        Binary(bytes([FORMAT + 1]) + SEALED[1:]),
        Binary(bytes([0]) + SEALED[1:]),
        Binary(bytes([FORMAT, 1, 0]) + SEALED[3:]),
        Binary(bytes([FORMAT, 0, 128]) + SEALED[3:]),
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_anything_else_is_refused(database: Database, value: object) -> None:
    """Clear values, and binary ones that have not the form of a sealed one. The failure tells no value."""
    await apply_validators(database, strict=True, sealed=sealed)
    failure = await stored(database, **{PATH: value})
    assert failure is not None
    assert failure.message == "The database refused a row."
    assert failure.__cause__ is failure.__context__ is None


async def test_no_way_of_writing_goes_around_it(database: Database) -> None:
    """An update, an upsert, one in a transaction; what was there stays, and no error tells a value."""
    await database.insert_many(UserDocument, [{"_id": "usr_eu_old", PATH: SEALED}])
    await apply_validators(database, strict=True, sealed=sealed)
    change = {"$set": {PATH: CLEAR}}

    async def transaction() -> None:
        async with database.transaction() as session:
            await database.update_one(UserDocument, {"_id": "usr_eu_old"}, change, session=session)

    for work in (
        database.update_one(UserDocument, {"_id": "usr_eu_old"}, change),
        database.find_one_and_update(UserDocument, {"_id": "usr_eu_old"}, change),
        database.update_one(UserDocument, {"_id": "usr_eu_new"}, change, upsert=True),
        transaction(),
    ):
        with pytest.raises(FieldwardError) as caught:
            await work
        assert CLEAR not in repr(vars(caught.value)) + repr(caught.value)
        assert caught.value.message == "A row is not what the validator of users lets in."
        assert caught.value.__cause__ is caught.value.__context__ is None
    assert await database.find(UserDocument, {}) == [{"_id": "usr_eu_old", PATH: bytes(SEALED)}]


async def test_while_values_are_being_sealed_their_rows_can_change(database: Database) -> None:
    """Moderate: rows that are in clear go on, new ones are sealed, and what is sealed stays so."""
    await database.insert_many(UserDocument, [{"_id": "clear", "username_key": "a", PATH: CLEAR}])
    await database.insert_many(UserDocument, [{"_id": "sealed", "username_key": "b", PATH: SEALED}])
    await apply_validators(database, strict=False, sealed=sealed)
    assert await database.update_one(UserDocument, {"_id": "clear"}, {"$set": {"login_count": 2}}) == 1
    assert await stored(database, **{PATH: CLEAR}) is not None
    with pytest.raises(FieldwardError):
        await database.update_one(UserDocument, {"_id": "sealed"}, {"$set": {PATH: CLEAR}})


async def test_it_tightens_once_nothing_is_in_clear(database: Database) -> None:
    """And stays so from then on, by a marker."""
    await database.insert_many(UserDocument, [{"_id": "clear", "username_key": "a", PATH: CLEAR}])
    assert not await tighten(database, sealed=sealed)
    await database.update_one(UserDocument, {"_id": "clear"}, {"$set": {PATH: SEALED}})
    assert await tighten(database, sealed=sealed)
    assert await tighten(database, sealed=sealed)
    with pytest.raises(FieldwardError):
        await database.update_one(UserDocument, {"_id": "clear"}, {"$set": {PATH: CLEAR}})


async def test_validators_hold_for_the_sealed_fields_alone(database: Database) -> None:
    """A class without any has none."""
    assert set(sealing_validators(sealed)) == {UserDocument, EventDocument}
    assert validator_for(UserDocument, lambda _document: ()) == {}
    await apply_validators(database, strict=True, sealed=sealed)
    assert await stored(database, username=CLEAR) is None


async def test_in_memory_there_are_no_validators(memory_database: Database) -> None:
    """The stand-in has none; nothing fails for it."""
    assert await tighten(memory_database, sealed=sealed)


async def test_what_the_service_writes_passes_its_own_validators(database: Database) -> None:
    """A person with every sealed field, by the classes as they are."""
    assert await tighten(database)
    await store(database, list(generate(3, seed=1, region="eu")))
    assert await database.count(UserDocument, {}) == 3
    assert await tighten(database)
