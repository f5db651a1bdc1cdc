"""Whose key is gone is not there any more: for who asks for them, in lists, and for changes (E5)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from auth.principal import Kind, Principal, Shape
from auth.rules import purposes_of_person
from models.database import Database
from models.errors import DatabaseUnavailable
from models.keystore.documents import DataKeyDocument
from models.user import UserDocument
from models.uses import Use
from models.vocabulary import Purpose, Role
from tests.integration.reading.world import World, make_engine
from tests.integration.sealing.conftest import Newcomer
from tests.integration.sealing.holdings import SEALED, document, exchanged, raw, settle, stored
from tests.stores import clear_row, keys_of

USER = "query($id: ID!) { user(by: {id: $id}) { id username email fullName } }"
NODE = "query($id: ID!) { node(id: $id) { ... on User { fullName } } }"
LIST = "{ users(first: 50) { nodes { id username fullName email } } }"
ME = "{ me { id username email devices { name } } }"


@dataclass
class Place:
    """A database and an engine over it, and those who ask."""

    database: Database
    world: World

    async def ask(self, who: Principal, text: str, purpose: Purpose, **variables: object) -> dict[str, Any]:
        """The body of an answer, which is the same by renderers and by resolvers."""
        fast = await self.world.ask(who, text, purpose, **variables)
        slow = await self.world.slowly(who, text, purpose, **variables)
        assert without_ids(fast.body) == without_ids(slow.body)
        body: dict[str, Any] = fast.body
        return body


def without_ids(body: Any) -> Any:  # noqa: ANN401 - an answer
    """An answer without what each has of its own."""
    return repr(body).partition("'extensions': {'decisionId'")[0]


@pytest.fixture
def place(sealed: Database) -> Place:
    """The database of this file, with an engine."""
    engines = make_engine(sealed, by_rows=True), make_engine(sealed, by_rows=False)
    return Place(sealed, World(sealed, [], *engines))


def person(identifier: str, *roles: Role) -> Principal:
    """Somebody who is signed in."""
    held = frozenset(roles)
    return Principal(Shape(Kind.PERSON, held, region="eu"), id=identifier, purposes=purposes_of_person(held))


STAFF = person("usr_eu_staff", Role.SUPPORT)


async def test_they_are_not_there(place: Place, new: Newcomer) -> None:
    """By identifier, as a node and for themselves: as if there were nobody; their rows are there as yet."""
    ann = await settle(place.database, new())
    there = await place.ask(STAFF, USER, Purpose.SUPPORT, id=ann)
    assert there["data"]["user"]["fullName"] == "Zoë Åkesson"
    await keys_of(place.database).destroy(ann)
    assert (await place.ask(STAFF, USER, Purpose.SUPPORT, id=ann))["data"] == {"user": None}
    assert (await place.ask(STAFF, NODE, Purpose.SUPPORT, id=ann))["data"] == {"node": None}
    assert (await place.ask(person(ann), ME, Purpose.ACCOUNT))["data"] == {"me": None}
    assert await place.database.count(UserDocument, {"_id": ann}) == 1


async def test_lists_withhold_them(place: Place, new: Newcomer) -> None:
    """Their row counts as restricted, so that a page has its length, and the others show."""
    ann, bob = await settle(place.database, new()), await settle(place.database, new())
    before = await place.ask(STAFF, LIST, Purpose.SUPPORT)
    await keys_of(place.database).destroy(ann)
    after = await place.ask(STAFF, LIST, Purpose.SUPPORT)
    shown = {node["id"]: node for node in after["data"]["users"]["nodes"]}
    assert len(after["data"]["users"]["nodes"]) == len(before["data"]["users"]["nodes"])
    assert ann not in shown or shown[ann] == {"id": ann, "username": None, "fullName": None, "email": None}
    assert shown[bob]["fullName"] == "Zoë Åkesson"
    withheld = {each["coordinate"]: each for each in after["extensions"]["withheld"]}
    assert withheld["User.fullName"]["reason"] == "RESTRICTED"
    assert withheld["User.fullName"]["count"] >= 1


async def test_the_service_does_not_use_what_they_had(sealed: Database, new: Newcomer) -> None:
    """Neither their password nor their address: `opened` says no, and nothing sealed is handed on."""
    ann = await settle(sealed, new())
    await keys_of(sealed).destroy(ann)
    row = await stored(sealed, UserDocument, ann)
    assert not await sealed.opened(Use.PASSWORD, UserDocument, row)
    assert "password_hash" not in row


async def test_nothing_more_is_stored_of_them(sealed: Database, new: Newcomer) -> None:
    """A change is one of no row; a new document of theirs is refused as long as it may be that they are going."""
    ann = await settle(sealed, new())
    await keys_of(sealed).destroy(ann)
    before = await stored(sealed, UserDocument, ann)
    change = {"$set": {"full_name": "Anna Ek", "country": "SE"}}
    assert await sealed.update_one(UserDocument, {"_id": ann}, change) == 0
    assert await sealed.find_one_and_update(UserDocument, {"_id": ann}, change) is None
    assert await sealed.update_one(UserDocument, {"_id": ann}, change, upsert=True) == 0
    assert await stored(sealed, UserDocument, ann) == before
    for kind in SEALED:
        if kind is not UserDocument:
            with pytest.raises(DatabaseUnavailable):
                await sealed.insert(document(kind, ann, id=f"later_{ann}"))
            assert await raw(sealed, kind).find_one({"_id": f"later_{ann}"}) is None


async def test_a_key_that_went_elsewhere_is_missed(sealed: Database, new: Newcomer) -> None:
    """Another worker destroyed it, this one has it at hand, and the value is sealed by a version it does not know."""
    ann = await settle(sealed, new())
    row = await stored(sealed, UserDocument, ann)
    await clear_row(sealed, UserDocument, {"_id": ann})
    await keys_of(sealed).database._of(DataKeyDocument).delete_one({"_id": ann})
    newer = row["full_name"][:4] + b"\x09" + row["full_name"][5:]
    assert sealed.sealing is not None
    changed = {**row, "full_name": newer}
    assert await sealed.sealing.open(UserDocument, [changed], ["full_name"]) == [0]
    assert "full_name" not in changed


async def test_a_value_that_does_not_open_is_an_error(place: Place, new: Newcomer) -> None:
    """With its code and no value, over the engine: for the person, and for staff; what they may read is not shown."""
    ann = await settle(place.database, new())
    row = await stored(place.database, UserDocument, ann)
    await exchanged(place.database, UserDocument, ann, {"full_name": row["given_name"]})
    body = await place.ask(STAFF, USER, Purpose.SUPPORT, id=ann)
    assert body["data"] == {"user": None}
    [error] = body["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["user"], "SEAL_BROKEN")
    assert not any(value in repr(body) for value in ("Zoë", ann))
    answer = await place.world.ask(STAFF, USER, Purpose.SUPPORT, id=ann)
    assert answer.status == 500
    await exchanged(place.database, UserDocument, ann, {"full_name": row["full_name"]})


async def test_a_changed_row_is_nobody_elses_failure(place: Place, new: Newcomer) -> None:
    """People who are read at the same moment get their own answers: rows that travel together do not fail together."""
    ann, bob, eve, dan = [await settle(place.database, new()) for _ in range(4)]
    await keys_of(place.database).destroy(dan)
    row = await stored(place.database, UserDocument, ann)
    await exchanged(place.database, UserDocument, ann, {"email": row["phone"]})
    text = "{ me { id email } }"
    answers = await asyncio.gather(
        *(place.world.ask(person(each), text, Purpose.ACCOUNT) for each in (ann, bob, ann, eve, dan))
    )
    await exchanged(place.database, UserDocument, ann, {"email": row["email"]})
    emails = [(answer.body["data"] or {}).get("me") for answer in answers]
    assert [each and each["email"] for each in emails] == [
        None,
        f"{bob}@people.example",
        None,
        f"{eve}@people.example",
        None,
    ]
    assert ["errors" in answer.body for answer in answers] == [True, False, True, False, False]
