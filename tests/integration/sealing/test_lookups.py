"""People are found by sealed fields that have a blind index, and by no other; unique values stay so (E4)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from models.activity import DeviceDocument
from models.database import Database
from models.errors import BadInput, Conflict, FieldwardError
from models.factor import FactorDocument
from models.keystore.documents import DataKeyDocument
from models.user import UserDocument
from tests.integration.sealing.conftest import Newcomer
from tests.integration.sealing.holdings import document, holds, raw, settle, stored
from tests.stores import keys_of

SPELLINGS: Final = ["{0}@people.example", "{0}@PEOPLE.example", "{1}@People.Example"]


async def has_key(database: Database, person: str) -> bool:
    """Whether the key store has a key of that person."""
    return await keys_of(database).database.count(DataKeyDocument, {"_id": person}) == 1


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_an_address_is_found_in_any_spelling(sealed: Database, new: Newcomer, spelling: str) -> None:
    """As it was given, or in other letters; alone, in a list, among conditions, and by every way of reading."""
    ann = await settle(sealed, new())
    given = spelling.format(ann, ann.upper())
    for asked in ({"email": given}, {"email": {"$in": ["nobody@people.example", given]}}):
        for filter in (asked, {"$or": [{"username_key": "nobody"}, asked]}, {"$and": [asked, {"_id": ann}]}):  # noqa: A001 - MongoDB's own word
            assert [row["_id"] for row in await sealed.find(UserDocument, filter, projection={"_id": 1})] == [ann]
            assert await sealed.count(UserDocument, filter) == 1
            found = await sealed.find_one(UserDocument, filter)
            assert found is not None
            assert found["_id"] == ann
    assert await sealed.update_one(UserDocument, {"email": given}, {"$set": {"login_count": 7}}) == 1
    changed = await sealed.find_one_and_update(UserDocument, {"email": given}, {"$inc": {"login_count": 1}})
    assert changed is not None
    assert changed["login_count"] == 8


async def test_nobody_else_is_found(sealed: Database, new: Newcomer) -> None:
    """By another address, an empty list, or an address that they have no longer."""
    ann = await settle(sealed, new())
    nobodys: list[object] = ["x@people.example", {"$in": []}]
    for asked in nobodys:
        assert await sealed.find(UserDocument, {"email": asked, "_id": ann}) == []
    await sealed.update_one(UserDocument, {"_id": ann}, {"$set": {"email": f"later.{ann}@people.example"}})
    assert await sealed.count(UserDocument, {"email": f"{ann}@people.example"}) == 0
    assert await sealed.count(UserDocument, {"email": f"later.{ann}@people.example"}) == 1
    await sealed.update_one(UserDocument, {"_id": ann}, {"$unset": {"email": ""}})
    assert await sealed.count(UserDocument, {"email": f"later.{ann}@people.example"}) == 0
    assert "email_index" not in await stored(sealed, UserDocument, ann)


async def test_absence_can_be_asked_for(sealed: Database, new: Newcomer) -> None:
    """Whether there is a value, and what is stored itself, need no code."""
    ann, bob = await settle(sealed, new()), await settle(sealed, new(), email=None)
    both = {"$in": [ann, bob]}
    assert await sealed.count(UserDocument, {"_id": both, "email": None}) == 1
    assert await sealed.count(UserDocument, {"_id": both, "email": {"$exists": True}}) == 1
    assert await sealed.count(UserDocument, {"email": (await stored(sealed, UserDocument, ann))["email"]}) == 1


async def test_a_phone_number_has_its_code(sealed: Database, new: Newcomer) -> None:
    """It is no look-up of the API yet; the codes are there. Two people may have one number."""
    ann, bob = await settle(sealed, new()), await settle(sealed, new())
    phone = holds(UserDocument, ann)["phone"]
    found = await sealed.find(UserDocument, {"phone": phone, "_id": {"$in": [ann, bob]}})
    assert {row["_id"] for row in found} == {ann, bob}
    codes = [row["phone_index"] for row in found]
    assert codes[0] == codes[1]
    assert [(code["v"], len(code["mac"])) for code in codes[0]] == [(1, 32)]


async def test_codes_tell_nothing_across_fields(sealed: Database, new: Newcomer) -> None:
    """One text in two fields has two codes, and neither holds any of it."""
    text = "one-and-the-same"
    ann = await settle(sealed, new(), phone=text, import_key=text)
    row = await stored(sealed, UserDocument, ann)
    assert row["phone_index"][0]["mac"] != row["import_key_index"][0]["mac"]
    assert text not in repr(row)
    await sealed.delete_one(UserDocument, {"_id": ann})


@pytest.mark.parametrize(
    ("kind", "filter"),
    [
        (UserDocument, {"full_name": "Zoë Åkesson"}),
        (UserDocument, {"address.city": "Umeå"}),
        (UserDocument, {"device_ids": {"$in": ["phone-1"]}}),
        (UserDocument, {"birth_date": {"$lt": "2000-01-01"}}),
        (UserDocument, {"email": {"$regex": "^zo"}}),
        (UserDocument, {"email": {"$ne": "a@people.example"}}),
        (UserDocument, {"email": {"$in": ["a@people.example"], "$exists": True}}),
        (UserDocument, {"email": {"$in": ["a@people.example", 7]}}),
        (UserDocument, {"email": 7}),
        (UserDocument, {"$or": [{"_id": "a"}, {"$and": [{"full_name": "Zoë"}]}]}),
        (UserDocument, {"$nor": [{"location.latitude": {"$gt": 1}}]}),
        (DeviceDocument, {"device_id": "phone-1"}),
        (FactorDocument, {"name": "Zoë's app"}),
    ],
    ids=repr,
)
async def test_a_look_up_without_codes_is_refused(sealed: Database, kind: Any, filter: dict[str, Any]) -> None:  # noqa: A002, ANN401 - any document class
    """It would find nobody, ever: a defect, which says so instead, whatever is done with what is found."""
    change = {"$set": {"x": 1}}
    ways: list[Callable[[], Awaitable[object]]] = [
        lambda: sealed.find(kind, filter),
        lambda: sealed.find_one(kind, filter),
        lambda: sealed.count(kind, filter),
        lambda: sealed.update_one(kind, filter, change),
        lambda: sealed.find_one_and_update(kind, filter, change),
        lambda: sealed.delete_one(kind, filter),
        lambda: sealed.delete_many(kind, filter),
    ]
    for way in ways:
        with pytest.raises(FieldwardError, match="looked up by it like that"):
            await way()


async def test_what_is_no_address_is_bad_input(sealed: Database) -> None:
    """Not a defect: somebody typed it."""
    with pytest.raises(BadInput):
        await sealed.find(UserDocument, {"email": "nobody"})


async def test_one_of_two_registrations_wins(sealed: Database, new: Newcomer) -> None:
    """At the same moment, in two spellings of one address; only the winner keeps a key."""
    for _ in range(5):
        people = [new() for _ in range(4)]
        name = people[0]
        spelt = [f"{name}@people.example", f"{name.upper()}@people.example"] * 2
        done = await asyncio.gather(
            *(
                sealed.insert(document(UserDocument, person, email=email))
                for person, email in zip(people, spelt, strict=True)
            ),
            return_exceptions=True,
        )
        assert sorted(repr(each) for each in done) == ["Conflict('This email is already in use.')"] * 3 + ["None"]
        assert [await has_key(sealed, person) for person in people] == [each is None for each in done]
        assert await sealed.count(UserDocument, {"email": spelt[0]}) == 1


async def test_an_address_is_not_taken_over(sealed: Database, new: Newcomer) -> None:
    """By a change of one's own, one at a time or two at once; what was there stays, and so do both keys."""
    ann, bob, eve = [await settle(sealed, new()) for _ in range(3)]
    with pytest.raises(Conflict) as caught:
        await sealed.update_one(UserDocument, {"_id": bob}, {"$set": {"email": f"{ann.upper()}@people.example"}})
    assert caught.value.field == "email"
    shared = {"$set": {"email": f"shared.{ann}@people.example"}}
    done = await asyncio.gather(
        *(sealed.update_one(UserDocument, {"_id": person}, shared) for person in (bob, eve)), return_exceptions=True
    )
    assert sorted(map(repr, done)) == ["1", "Conflict('This email is already in use.')"]
    assert await sealed.update_one(UserDocument, {"_id": ann}, {"$set": {"email": f"{ann}@people.example"}}) == 1
    assert all([await has_key(sealed, person) for person in (ann, bob, eve)])


async def test_rows_stored_together_are_unique(sealed: Database, new: Newcomer) -> None:
    """As an import stores them: against who is there, and among each other. Only who was stored has a key."""
    ann = await settle(sealed, new())
    emails = [f"{ann.upper()}@people.example", f"a.{ann}@people.example", f"A.{ann}@people.example"]
    rows = [{"_id": new(), "email": email} for email in emails]
    rows = [{**row, "username_key": row["_id"]} for row in rows]
    assert await sealed.insert_many(UserDocument, rows) == [(0, "email"), (2, "email")]
    assert [await has_key(sealed, row["_id"]) for row in rows] == [False, True, False]


async def test_who_was_there_before_keeps_their_key(sealed: Database, new: Newcomer) -> None:
    """Somebody is stored a second time, under their own identifier or with a name that is taken."""
    ann, bob = await settle(sealed, new()), await settle(sealed, new())
    for again in (document(UserDocument, ann), document(UserDocument, ann, username_key=bob, email=None)):
        with pytest.raises(Conflict):
            await sealed.insert(again)
        assert await has_key(sealed, ann)
    raws = [{"_id": ann, "username_key": bob}, {"_id": ann, "username_key": new()}]
    assert len(await sealed.insert_many(UserDocument, raws)) == 2
    assert await has_key(sealed, ann)
    row = await sealed.find_one(UserDocument, {"_id": ann})
    assert row is not None
    assert sealed.sealing is not None
    assert await sealed.sealing.open(UserDocument, [row], ["full_name"]) == []


async def test_the_real_index_is_over_codes(real: Database) -> None:
    """MongoDB itself holds them unique, whoever writes."""
    found = await raw(real, UserDocument).index_information()
    for name in ("email", "import_key"):
        assert (found[name]["key"], found[name]["unique"]) == ([(f"{name}_index.mac", 1)], True)
    assert found["phone"]["key"] == [("phone_index.mac", 1)]
    assert "unique" not in found["phone"]
