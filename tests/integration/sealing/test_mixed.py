"""What an earlier version stored in the clear is read, found and unique until it is sealed (E1, E4)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Final

import pytest

from models.crypto.envelope import SealBroken, is_sealed
from models.database import Database, Raw
from models.database.sealing import RowsBroken
from models.errors import Conflict
from models.keystore.documents import StateDocument
from models.rotation.clear import prepare
from models.user import UserDocument
from models.uses import Use
from tests.integration.sealing.conftest import Newcomer
from tests.integration.sealing.holdings import SEALED, Kind, document, exchanged, holds, raw, settle, stored
from tests.stores import clear_row, keys_of, sealed_database


async def say_sealed(database: Database, sealed: bool) -> None:
    """Let the key store say whether values in the clear are left."""
    keys = keys_of(database)
    await keys.database.update_one(StateDocument, {"_id": "eu"}, {"$set": {"sealed": sealed}, "$inc": {"epoch": 1}})
    await keys.refresh()
    assert keys.sealed is sealed


@pytest.fixture(scope="module")
async def real_mixed(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    """A database in the real MongoDB whose values are in the clear, as yet."""
    async with sealed_database(request.getfixturevalue("mongod").admin_url) as opened:
        await say_sealed(opened, False)
        yield opened


@pytest.fixture(scope="module")
async def memory_mixed() -> AsyncIterator[Database]:
    """The same in memory."""
    async with sealed_database(None) as opened:
        await say_sealed(opened, False)
        yield opened


@pytest.fixture(params=["real_mixed", "memory_mixed"])
def mixed(request: pytest.FixtureRequest) -> Database:
    """Each of the two."""
    chosen: Database = request.getfixturevalue(request.param)
    return chosen


async def settled_before(database: Database, person: str) -> Raw:
    """Somebody with everything, as a version stored them that did not seal; they have their key and codes since."""
    for kind in SEALED:
        owner = {"username_key": person} if kind is UserDocument else {"person": person}
        identifier = person if kind is UserDocument else f"{kind.__name__}_{person}"
        await raw(database, kind).insert_one({"_id": identifier, **owner, **holds(kind, person)})
    await prepare(database, keys_of(database))
    return await stored(database, UserDocument, person)


def shown(row: Raw, kind: Kind) -> Raw:
    """The fields that are to be sealed, with moments as the reader fetches them: without a zone."""
    found = {path: row[path] for path in SEALED[kind]}
    if "location" in found:
        found["location"] = {
            name: value.replace(tzinfo=None) if isinstance(value, datetime) else value
            for name, value in found["location"].items()
        }
    return found


CODES: Final = {"email_index", "phone_index", "import_key_index"}


async def test_they_are_read(mixed: Database, new: Newcomer) -> None:
    """Every field of every class; nothing has changed in the database but that there are codes."""
    ann = new()
    row = await settled_before(mixed, ann)
    assert shown(row, UserDocument) == holds(UserDocument, ann)
    assert row.keys() >= CODES
    for kind in SEALED:
        person = "_id" if kind is UserDocument else "person"
        opened = await clear_row(mixed, kind, {person: ann})
        assert shown(opened, kind) == holds(kind, ann)
    assert await mixed.opened(Use.PASSWORD, UserDocument, row)


async def test_they_are_found(mixed: Database, new: Newcomer) -> None:
    """In any spelling, as others are."""
    ann = new()
    await settled_before(mixed, ann)
    assert await mixed.count(UserDocument, {"email": f"{ann.upper()}@people.example"}) == 1
    assert await mixed.count(UserDocument, {"import_key": f"crm-{ann}"}) == 1


async def test_they_are_unique(mixed: Database, new: Newcomer) -> None:
    """Nobody new takes their address, nor do they take that of anybody new."""
    ann = new()
    await settled_before(mixed, ann)
    with pytest.raises(Conflict) as caught:
        await mixed.insert(document(UserDocument, new(), email=f"{ann.upper()}@people.example"))
    assert caught.value.field == "email"
    bob = await settle(mixed, new())
    with pytest.raises(Conflict):
        await mixed.update_one(UserDocument, {"_id": ann}, {"$set": {"email": f"{bob}@people.example"}})


async def test_what_is_written_is_sealed(mixed: Database, new: Newcomer) -> None:
    """Field by field; a row may be half in the clear, and opens as one."""
    ann = new()
    await settled_before(mixed, ann)
    await mixed.update_one(UserDocument, {"_id": ann}, {"$set": {"full_name": "Anna Ek"}})
    row = await stored(mixed, UserDocument, ann)
    assert {path for path in SEALED[UserDocument] if is_sealed(row[path])} == {"full_name"}
    opened = await clear_row(mixed, UserDocument, {"_id": ann})
    assert opened["full_name"] == "Anna Ek"
    assert opened["email"] == f"{ann}@people.example"


async def test_a_sealed_value_is_held_to_it_all_the_same(mixed: Database, new: Newcomer) -> None:
    """That values may be in the clear does not open one that was moved."""
    ann = await settle(mixed, new())
    row = await stored(mixed, UserDocument, ann)
    await exchanged(mixed, UserDocument, ann, {"full_name": row["given_name"]})
    with pytest.raises(SealBroken):
        await clear_row(mixed, UserDocument, {"_id": ann})


async def test_from_then_on_nothing_in_the_clear_is_taken(sealed: Database, new: Newcomer) -> None:
    """Once the key store says that all is sealed: no field of any class passes in the clear, whoever put it there."""
    ann = await settle(sealed, new())
    for kind, values in SEALED.items():
        for path, value in values.items():
            await exchanged(sealed, kind, ann, {path: value})
            changed: dict[str, Any] = await stored(sealed, kind, ann)
            with pytest.raises(RowsBroken):
                await clear_row(sealed, kind, {"_id": changed["_id"]})
            await raw(sealed, kind).update_one({"_id": changed["_id"]}, {"$unset": {path: ""}})
