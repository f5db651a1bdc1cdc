"""What a label calls restricted is bytes in the database, and what was stored once it is opened (E1)."""

from __future__ import annotations

from typing import Any, Final

import pytest

from models.activity import EventDocument
from models.crypto.envelope import is_sealed
from models.database import Database
from models.errors import BadInput, FieldwardError
from models.registry import DOCUMENTS
from models.sealed import sealed_fields
from models.user import UserDocument
from tests.integration.sealing.conftest import Newcomer
from tests.integration.sealing.holdings import SEALED, Kind, document, holds, settle, stored
from tests.stores import clear_row

KINDS: Final = list(SEALED)
PATHS: Final = [(kind, path) for kind, values in SEALED.items() for path in values]


def _named(each: object) -> str:
    return each if isinstance(each, str) else str(getattr(each, "__name__", each))


def test_every_sealed_field_is_tried() -> None:
    """Of every document class there is: a new one is added to `SEALED`."""
    declared = {kind: set(fields) for kind in DOCUMENTS if (fields := sealed_fields(kind))}
    assert {kind: set(values) for kind, values in SEALED.items()} == declared


@pytest.mark.parametrize("kind", KINDS, ids=_named)
async def test_a_new_document_is_sealed_and_opens(sealed: Database, new: Newcomer, kind: Kind) -> None:
    """Every sealed field of it is a sealed value, whatever its type; opened it is what was stored."""
    ann = await settle(sealed, new())
    row = await stored(sealed, kind, ann)
    assert {path for path, value in row.items() if is_sealed(value)} == set(SEALED[kind])
    assert len({row[path] for path in SEALED[kind]}) == len(SEALED[kind])
    opened = await clear_row(sealed, kind, {"_id": row["_id"]})
    assert {path: opened[path] for path in SEALED[kind]} == holds(kind, ann)


@pytest.mark.parametrize(("kind", "path"), PATHS, ids=_named)
async def test_a_change_is_sealed_and_opens(sealed: Database, new: Newcomer, kind: Kind, path: str) -> None:
    """One field put in place of what was there, alone."""
    ann = await settle(sealed, new())
    before = await stored(sealed, kind, ann)
    target = {"_id": before["_id"], kind.PERSON: ann}
    await sealed.update_one(kind, target, {"$unset": {path: ""}})
    assert path not in await stored(sealed, kind, ann)
    assert await sealed.update_one(kind, target, {"$set": {path: holds(kind, ann)[path]}}) == 1
    after = await stored(sealed, kind, ann)
    assert is_sealed(after[path])
    assert after[path] != before[path]
    assert (await clear_row(sealed, kind, target))[path] == holds(kind, ann)[path]


async def test_rows_stored_many_at_a_time_are_sealed(sealed: Database, new: Newcomer) -> None:
    """As an import and the demo store them; what was handed in stays as it was."""
    people = [{"_id": person, "username_key": person, "full_name": "Anna Ek"} for person in (new(), new(), new())]
    assert await sealed.insert_many(UserDocument, people) == []
    assert people[1]["full_name"] == "Anna Ek"
    for person in people:
        row = await stored(sealed, UserDocument, person["_id"])
        assert is_sealed(row["full_name"])
        assert (await clear_row(sealed, UserDocument, {"_id": row["_id"]}))["full_name"] == "Anna Ek"


async def test_a_find_and_change_is_sealed(sealed: Database, new: Newcomer) -> None:
    """What it returns is as stored."""
    ann = await settle(sealed, new())
    row = await sealed.find_one_and_update(UserDocument, {"_id": ann}, {"$set": {"full_name": "Anna Ek"}})
    assert row is not None
    assert is_sealed(row["full_name"])
    assert (await clear_row(sealed, UserDocument, {"_id": ann}))["full_name"] == "Anna Ek"


async def test_an_equal_value_is_sealed_to_other_bytes(sealed: Database, new: Newcomer) -> None:
    """Nobody sees that two people have one name, or that a value was stored again."""
    first, second = [await stored(sealed, UserDocument, await settle(sealed, new())) for _ in range(2)]
    assert first["full_name"] != second["full_name"]
    assert first["full_name"][17:] != second["full_name"][17:]


async def test_what_is_not_sealed_is_stored_as_it_is(sealed: Database, new: Newcomer) -> None:
    """Behaviour, for instance: its label asks for no encryption."""
    ann = new()
    await sealed.insert(EventDocument.model_validate({"id": f"evt_{ann}", "person": ann, "kind": "opened"}))
    assert (await stored(sealed, EventDocument, ann))["kind"] == "opened"


@pytest.mark.parametrize(
    "update",
    [
        {"$push": {"device_ids": "phone-2"}},
        {"$addToSet": {"device_ids": "phone-2"}},
        {"$pull": {"device_ids": "phone-1"}},
        {"$set": {"address.city": "Oslo"}},
        {"$unset": {"address.city": ""}},
        {"$set": {"device_ids.0": "phone-2"}},
        {"$inc": {"location.accuracy": 1}},
        {"$rename": {"email": "country"}},
        {"$rename": {"country": "email"}},
        {"$min": {"birth_date": "1970-01-01"}},
        {"$currentDate": {"email": True}},
    ],
    ids=repr,
)
async def test_a_sealed_value_is_not_changed_in_part(sealed: Database, new: Newcomer, update: dict[str, Any]) -> None:
    """By a path into it, or an operator that computes: it is refused as a defect, and nothing changes."""
    ann = await settle(sealed, new(), country="SE")
    before = await stored(sealed, UserDocument, ann)
    with pytest.raises(FieldwardError, match="in part"):
        await sealed.update_one(UserDocument, {"_id": ann}, update)
    with pytest.raises(FieldwardError, match="in part"):
        await sealed.find_one_and_update(UserDocument, {"_id": ann}, update)
    assert await stored(sealed, UserDocument, ann) == before


@pytest.mark.parametrize("filter", [{}, {"username_key": "ann"}, {"_id": {"$in": ["ann"]}}], ids=repr)
async def test_a_change_names_whose_it_is(sealed: Database, filter: dict[str, Any]) -> None:  # noqa: A002 - MongoDB's own word
    """A value is sealed for one place: a change of whoever matches is refused."""
    with pytest.raises(FieldwardError, match="without naming whose"):
        await sealed.update_one(UserDocument, filter, {"$set": {"full_name": "Anna Ek"}})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("email", b"\x01 bytes"),
        ("email", 7),
        ("email", None),
        ("birth_date", "the day after"),
        ("device_ids", "phone-1"),
        ("address", {"city": ["Oslo"]}),
        ("location", {"latitude": "north", "longitude": 1.0}),
    ],
)
async def test_what_a_field_cannot_hold_is_not_sealed(
    sealed: Database, new: Newcomer, path: str, value: object
) -> None:
    """It would open to something that nobody expects there."""
    ann = await settle(sealed, new())
    before = await stored(sealed, UserDocument, ann)
    with pytest.raises(BadInput):
        await sealed.update_one(UserDocument, {"_id": ann}, {"$set": {path: value}})
    assert await stored(sealed, UserDocument, ann) == before


async def test_without_keys_nothing_sealed_is_written(sealed: Database, new: Newcomer) -> None:
    """A database that nobody seals for stores no such document, in whole or in part, and says so."""
    ann = await settle(sealed, new())
    sealing, sealed.sealing = sealed.sealing, None
    try:
        for kind in SEALED:
            with pytest.raises(FieldwardError, match="without keys"):
                await sealed.insert(document(kind, new()))
        with pytest.raises(FieldwardError, match="without keys"):
            await sealed.insert_many(UserDocument, [{"_id": new(), "full_name": "Anna Ek"}])
        with pytest.raises(FieldwardError, match="without keys"):
            await sealed.update_one(UserDocument, {"_id": ann}, {"$set": {"full_name": "Anna Ek"}})
    finally:
        sealed.sealing = sealing
