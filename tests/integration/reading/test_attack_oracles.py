"""Ways to learn what a person's row withholds, or that somebody exists, without reading a field."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

import pytest

from models.user import UserDocument
from models.vocabulary import Purpose, Role
from tests.integration.reading.test_reading import reasons
from tests.integration.reading.world import Maker, World

NOTHING = "mutation($id: ID) { updateUser(input: {id: $id}) { errors { code } } }"


@pytest.mark.parametrize("purpose", [Purpose.ACCOUNT, None])
async def test_changing_nothing_does_not_tell_that_somebody_exists(
    world: World, person: Maker, purpose: Purpose | None
) -> None:
    """Refused for somebody and for nobody, before any command is sent."""
    for whom in (world.ids[3], "usr_eu_" + "0" * 26):
        world.recorder.clear()
        answer = await world.ask(person(world.ids[2]), NOTHING, purpose, id=whom)
        assert (answer.status, list(reasons(answer))) == (403, ["User.id"])
        assert world.recorder.commands == []


async def test_who_may_know_of_people_may_change_nothing_of_them(world: World, person: Maker) -> None:
    """The privacy office reads identifiers, so it may be told that there is no such person."""
    officer = person(world.ids[0], Role.PRIVACY)
    known = await world.ask(officer, NOTHING, Purpose.LEGAL, id=world.ids[3])
    unknown = await world.ask(officer, NOTHING, Purpose.LEGAL, id="usr_eu_" + "0" * 26)
    assert known.body["data"]["updateUser"] == {"errors": []}
    assert unknown.body["data"]["updateUser"] == {"errors": [{"code": "NOT_FOUND"}]}


@pytest.fixture
async def restricted(world: World) -> AsyncIterator[str]:
    """Somebody who has restricted the processing of their data."""
    target = world.ids[11]
    before = (await world.row(target))["status"]
    await world.database.update_one(UserDocument, {"_id": target}, {"$set": {"status": "RESTRICTED"}})
    yield target
    await world.database.update_one(UserDocument, {"_id": target}, {"$set": {"status": before}})


@pytest.mark.parametrize("path", ["country", "locale", "ageBand"])
async def test_a_filter_tells_nothing_of_a_withheld_row(
    world: World, person: Maker, restricted: str, path: str
) -> None:
    """Neither by being in the list nor in the count; others of the same value are there."""
    value = (await world.row(restricted))[{"ageBand": "age_band"}.get(path, path)]
    text = f"query($v: String) {{ users(first: 100, filter: {{{path}: $v}}) {{ nodes {{ id }} totalCount }} }}"
    support = await world.ask(person(world.ids[0], Role.SUPPORT), text, Purpose.SUPPORT, v=value)
    users = support.body["data"]["users"]
    stored = {"ageBand": "age_band"}.get(path, path)
    shown = {"_id": {"$ne": restricted}, stored: value, "status": {"$ne": "RESTRICTED"}}
    rows = await world.database.find(UserDocument, shown, projection={"_id": 1})
    assert {node["id"] for node in users["nodes"]} == {row["_id"] for row in rows}
    assert users["totalCount"] == len(rows)


@pytest.mark.parametrize("field", ["USERNAME", "CREATED_AT", "LAST_SEEN_AT", "LOGIN_COUNT"])
async def test_an_order_tells_nothing_of_a_withheld_row(
    world: World, person: Maker, restricted: str, field: str
) -> None:
    """A cursor holds the value that was ordered by, so no cursor leads to somebody withheld."""
    answer = await world.ask(
        person(world.ids[0], Role.SUPPORT),
        f"{{ users(first: 100, orderBy: {{field: {field}}}) {{ edges {{ cursor node {{ id }} }} }} }}",
        Purpose.SUPPORT,
    )
    cursors = [edge["cursor"] for edge in answer.body["data"]["users"]["edges"]]
    assert len(cursors) > 30
    assert not any(restricted.encode() in base64.urlsafe_b64decode(cursor + "==") for cursor in cursors)


async def test_a_list_without_filter_and_order_still_shows_who_is_withheld(
    world: World, person: Maker, restricted: str
) -> None:
    """By identifier, which places them nowhere."""
    answer = await world.ask(
        person(world.ids[0], Role.SUPPORT), "{ users(first: 100) { nodes { id username } } }", Purpose.SUPPORT
    )
    assert {"id": restricted, "username": None} in answer.body["data"]["users"]["nodes"]


async def test_a_filter_tells_nothing_without_consent(world: World, service: Maker) -> None:
    """Under a purpose that rests on consent, only those who gave it are found by what they are."""
    bot = service("user.demographic.language:read", purposes=[Purpose.MARKETING])
    rows = await world.database.find(UserDocument, {})
    for language in {row["locale"] for row in rows if "locale" in row}:
        answer = await world.ask(
            bot,
            "query($v: String) { users(first: 100, filter: {locale: $v}) { nodes { locale } totalCount } }",
            v=language,
        )
        users = answer.body["data"]["users"]
        assert {node["locale"] for node in users["nodes"]} <= {language}
        assert users["totalCount"] == len(users["nodes"])


async def test_parts_of_what_a_condition_looks_at_can_be_selected(world: World, service: Maker) -> None:
    """The projection never asks for a path and for one inside of it, which MongoDB refuses."""
    bot = service("user.privacy_preferences:read", purposes=[Purpose.MARKETING])
    answer = await world.ask(bot, "{ users(first: 100) { nodes { consents { purpose } } } }")
    shown = [node["consents"] for node in answer.body["data"]["users"]["nodes"] if node["consents"]]
    assert shown
    assert all("MARKETING" in {consent["purpose"] for consent in consents} for consents in shown)


async def test_a_withheld_row_is_not_changed_either(world: World, service: Maker, restricted: str) -> None:
    """A service that may write contact data for support may not once processing is restricted."""
    bot = service("user.contact:read", "user.contact:write", purposes=[Purpose.SUPPORT, Purpose.ACCOUNT])
    text = 'mutation($id: ID) { updateUser(input: {id: $id, phone: "+441632960123"}) { errors { code path } } }'
    before = (await world.row(restricted)).get("phone")
    refused = await world.ask(bot, text, Purpose.SUPPORT, id=restricted)
    assert refused.body["data"]["updateUser"]["errors"] == [{"code": "NOT_FOUND", "path": ["input", "id"]}]
    assert (await world.row(restricted)).get("phone") == before
    other = await world.ask(bot, text, Purpose.SUPPORT, id=world.ids[12])
    assert other.body["data"]["updateUser"]["errors"] == []


async def test_a_service_has_no_consent_to_give(world: World, service: Maker) -> None:
    """It is told so; nothing is said to be given that is not stored."""
    bot = service("user.privacy_preferences:write", "user.privacy_preferences:read", purposes=[Purpose.ACCOUNT])
    answer = await world.ask(bot, "mutation { giveConsent(input: {purpose: MARKETING}) { given errors { code } } }")
    assert answer.body["data"]["giveConsent"] == {"given": False, "errors": [{"code": "NOT_A_PERSON"}]}


@pytest.mark.parametrize("key", ["username", "email"])
async def test_own_data_is_read_by_identifier_whatever_named_it(world: World, person: Maker, key: str) -> None:
    """Between the decision and the read a name may pass to another person, whose row is not one's own."""
    stored = await world.row(world.ids[2])
    world.recorder.clear()
    text = f"query($v: String!) {{ user(by: {{{key}: $v}}) {{ birthDate }} }}"
    answer = await world.ask(person(world.ids[2]), text, Purpose.ACCOUNT, v=stored[key])
    assert answer.body["data"]["user"]["birthDate"]
    *_, read = world.recorder.reads()
    assert read["filter"] in ({"_id": world.ids[2]}, {"_id": {"$in": [world.ids[2]]}})
